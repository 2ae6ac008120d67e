"""Which programs a result is of."""

import subprocess

from .. import layout
from ..shell import run


def versions(contenders):
    commit = run("git", "-C", layout.ROOT, "describe", "--always", "--dirty", "--exclude", "*", check=False).stdout.strip()
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True).stdout.split()
    told = {"commit": commit or "none", "iperf3": run("iperf3", "--version").stdout.split()[1], "wrk": wrk[1].rpartition("/")[2]}
    for contender in contenders:
        told.update(contender.version())
    return told
