"""What `tools/bench` is made of: contenders, measures, rounds, goals and how they are shown."""
