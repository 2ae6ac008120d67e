"""What the relay itself costs: the same pings and bulk through it, with nothing asked of it, and over a plain wire beside it."""

import contextlib
import json
import re
import statistics

from . import layout, network
from .shell import LabError, run

ROUNDS = 3
PINGS = 1000
SECONDS = 2
WIRE = "plain0"
WIRE_ADDRESSES = ("169.254.77.1", "169.254.77.2")  # cluster's, laptop's


@contextlib.contextmanager
def _plain_wire(laptop):
    network.wire(laptop.namespace, WIRE, layout.CLUSTER, WIRE)
    try:
        for namespace, address in zip((layout.CLUSTER, laptop.namespace), WIRE_ADDRESSES):
            run("ip", "-n", namespace, "address", "add", f"{address}/30", "dev", WIRE)
        yield
    finally:
        run("ip", "-n", laptop.namespace, "link", "delete", WIRE, check=False)


@contextlib.contextmanager
def _over_plain_wire(laptop):
    """The services' host, reached over the plain wire."""
    route = ("route", "add", layout.DIRECT[0], "via", WIRE_ADDRESSES[0], "dev", WIRE, *network.congestion())
    run("ip", "-n", laptop.namespace, *route)
    try:
        yield
    finally:
        run("ip", "-n", laptop.namespace, "route", "delete", layout.DIRECT[0], check=False)


def _run(laptop, *command):
    result = laptop.exec(*command)
    if result.returncode != 0:
        raise LabError("wan measure", f"`{' '.join(map(str, command))}`: {(result.stdout + result.stderr).strip()[-300:]}")
    return result.stdout


def _pings(laptop):
    """Round trips, in microseconds."""
    text = _run(laptop, "ping", "-c", PINGS, "-i", "0.002", layout.DIRECT[0])
    return [float(value) * 1000 for value in re.findall(r"time=([0-9.]+) ms", text)]


def _bulk(laptop, down):
    """Gbit/s that arrived."""
    command = ["iperf3", "-J", "-c", layout.DIRECT[0], "-p", layout.IPERF_PORTS[0], "-t", SECONDS, *(["-R"] if down else [])]
    return json.loads(_run(laptop, *command))["end"]["sum_received"]["bits_per_second"] / 1e9


def _percentile(values, part):
    return sorted(values)[min(len(values) - 1, int(len(values) * part))]


def measure(laptop, wan):
    """Prints the table. The path's settings are put back."""
    before = wan.settings()
    wan.set(delay=0, jitter=0, loss=0, rate=0)
    ways = ("plain wire", "relay", "relay, cut segments")
    trips = {way: [] for way in ways}
    bulk = {(way, down): [] for way in ways for down in (False, True)}
    missed = _missed(wan)
    try:
        with _plain_wire(laptop):
            for _ in range(ROUNDS):
                for way in ways:
                    wan.whole_segments(way != "relay, cut segments")
                    with _over_plain_wire(laptop) if way == "plain wire" else contextlib.nullcontext():
                        trips[way] += _pings(laptop)
                        for down in (False, True):
                            bulk[way, down].append(_bulk(laptop, down))
    finally:
        wan.set(**before)
    print(f"{'':<22}{'ping median':>14}{'ping p99':>12}{'bulk up':>14}{'bulk down':>14}")
    for way in ways:
        up, down = (statistics.median(bulk[way, down]) for down in (False, True))
        print(f"{way:<22}{_percentile(trips[way], .5):>11.0f} us{_percentile(trips[way], .99):>9.0f} us"
              f"{up:>7.2f} Gbit/s{down:>7.2f} Gbit/s")
    added = [_percentile(trips["relay"], part) - _percentile(trips["plain wire"], part) for part in (.5, .99)]
    print(f"the relay adds {added[0]:.0f} us to a round trip in the median, {added[1]:.0f} us at p99; "
          f"it failed to carry {_missed(wan) - missed:.0f} frames")


def _missed(wan):
    shown = wan.show()
    return shown["up_missed"] + shown["down_missed"]
