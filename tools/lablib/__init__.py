"""The lab: a cluster, a home network and laptops, each a network namespace on this machine. `tools/lab` is its command."""
