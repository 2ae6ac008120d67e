"""The tunnel beside a direct connection, in one run on one machine: bulk by iperf3 and HTTP requests by wrk.

  tools/bench                   five rounds, each measures direct and tunnel one after the other
  tools/bench --quick           one short round, to see that it works
  tools/bench --json FILE       the figures of every round as well

Congestion control is cubic for both. The figure to look at is the ratio: the medians of the rounds, tunnel by direct; machines differ, and
are shared. The micro-benchmarks of the packet path are build/bench/bench_micro.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys

from . import build, lab, layout
from .shell import LabError, run

WAYS = ("direct", "tunnel")
PORT = layout.IPERF_PORTS[0]


class Bench:
    def __init__(self, laptop, seconds):
        self.laptop = laptop
        self.seconds = seconds
        self.hosts = {"direct": layout.DIRECT[0], "tunnel": layout.SERVICES["bulk.shop"][0]}
        self.web = {"direct": layout.DIRECT[0], "tunnel": layout.SERVICES["orders.shop"][0]}

    def _run(self, *command):
        result = self.laptop.exec(*command, timeout=self.seconds + 60)
        if result.returncode != 0:
            raise LabError("bench", f"`{' '.join(map(str, command))}` failed: {(result.stdout + result.stderr).strip()[-400:]}")
        return result.stdout

    def bulk(self, way, flows, down):
        """Gbit/s that arrived."""
        words = ["iperf3", "-J", "-C", "cubic", "-c", self.hosts[way], "-p", PORT, "-t", self.seconds, "-O", 1, "-P", flows]
        report = json.loads(self._run(*words, *(["-R"] if down else [])))
        return report["end"]["sum_received"]["bits_per_second"] / 1e9

    def requests(self, way, connections):
        """Kept-alive HTTP requests a second."""
        out = self._run("wrk", "-t", 2, "-c", connections, "-d", f"{self.seconds}s", f"http://{self.web[way]}/")
        if "Non-2xx" in out or "Socket errors" in out:
            raise LabError("bench", f"wrk saw errors: {out}")
        return float(re.search(r"Requests/sec:\s*([0-9.]+)", out).group(1))

    def connections(self, way):
        """New HTTP connections a second: connect, request, close."""
        out = self._run("wrk", "-t", 2, "-c", 16, "-d", f"{self.seconds}s", "-H", "Connection: close", f"http://{self.web[way]}/")
        return float(re.search(r"Requests/sec:\s*([0-9.]+)", out).group(1))

    def measures(self):
        yield "bulk up, 1 flow", "Gbit/s", lambda way: self.bulk(way, 1, False)
        yield "bulk down, 1 flow", "Gbit/s", lambda way: self.bulk(way, 1, True)
        yield "bulk up, 8 flows", "Gbit/s", lambda way: self.bulk(way, 8, False)
        yield "bulk down, 8 flows", "Gbit/s", lambda way: self.bulk(way, 8, True)
        yield "HTTP requests, 16 connections", "1/s", lambda way: self.requests(way, 16)
        yield "new HTTP connections, 16 at once", "1/s", lambda way: self.connections(way)


def versions():
    commit = subprocess.run(["git", "-C", layout.ROOT, "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    return {"commit": commit.stdout.strip() or "none", "kernel": platform.release(),
            "iperf3": run("iperf3", "--version").stdout.split()[1], "cpus": os.cpu_count(), "congestion control": "cubic"}


def measure(bench, rounds):
    """{name: {"unit", "direct": [...], "tunnel": [...]}}, round by round so that what else the machine does hits both."""
    figures = {}
    for number in range(1, rounds + 1):
        for name, unit, measure_one in bench.measures():
            entry = figures.setdefault(name, {"unit": unit, **{way: [] for way in WAYS}})
            for way in WAYS:
                entry[way].append(measure_one(way))
            print(f"round {number}/{rounds}: {name}: " + ", ".join(f"{way} {entry[way][-1]:.2f}" for way in WAYS) + f" {unit}",
                  flush=True)
    return figures


def table(figures):
    lines = [f"{'':<34}{'direct':>22}{'tunnel':>22}{'ratio':>8}"]
    for name, entry in figures.items():
        cells = []
        for way in WAYS:
            values = entry[way]
            middle = statistics.median(values)
            cells.append(f"{middle:,.2f} ±{(max(values) - min(values)) / 2 / middle:.0%} {entry['unit']}")
        ratio = statistics.median(entry["tunnel"]) / statistics.median(entry["direct"])
        entry["ratio"] = round(ratio, 4)
        lines.append(f"{name:<34}{cells[0]:>22}{cells[1]:>22}{ratio:>8.2f}")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", metavar="FILE")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("bench: must be root: it makes network namespaces", file=sys.stderr)
        return 126
    build.build()
    if lab.bring_up(1, with_build=False) != 0:
        return 1
    try:
        figures = measure(Bench(lab.Lab().laptop(1), 2 if options.quick else 4), 1 if options.quick else 5)
    finally:
        lab.bring_down()
    told = versions()
    print("\n" + ", ".join(f"{key} {value}" for key, value in told.items()))
    print(table(figures))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"versions": told, "figures": figures}, file, indent=1)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(lab.fail(error))
    except KeyboardInterrupt:
        sys.exit(130)
