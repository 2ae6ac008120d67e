"""What is measured once and not by rounds: idle processes, idle flows, and the time until a tunnel is proven."""

import statistics
import time

from . import machine
from .contenders import LOAD_PORT
from .loads import Failed, standing_load

IDLE_SECONDS = 10
LONG_SECONDS = 30
ENDS = ("laptop", "cluster")


def idle_flows(contender, count):
    """So many connections, each proven by an echo, for as long as the block lasts."""
    return standing_load("hold", contender, LOAD_PORT, count)


def usage(contender):
    """{"laptop": {"pss", "anonymous"}, "cluster": ...} in bytes."""
    return {end: machine.memory(pids) for end, pids in zip(ENDS, contender.ends())}


def idle(contender, seconds):
    """Memory of both ends, and how often each wakes up a second."""
    before = [machine.wake_ups(pids) for pids in contender.ends()]
    time.sleep(seconds)
    after = [machine.wake_ups(pids) for pids in contender.ends()]
    found = usage(contender)
    for end, first, last in zip(ENDS, before, after):
        found[end]["wake_ups_per_second"] = round((last - first) / seconds, 2)
    return found


def with_flows(contender, count, seconds):
    """Bytes per idle flow at both ends, CPU of all its processes in shares of one core."""
    before = usage(contender)
    with idle_flows(contender, count):
        time.sleep(3)  # for what is let go a moment after the last connection
        after = usage(contender)
        with machine.Watch(contender.processes()) as watch:
            start = time.monotonic()
            time.sleep(seconds)
            took = time.monotonic() - start
    per_flow = {end: {key: round((after[end][key] - before[end][key]) / count) for key in after[end]} for end in ENDS}
    return {**per_flow, "cores": round(watch.own / took, 4)}


def connect_with_idle_flows(contender, measure, count, rounds):
    """New connections per second with and without idle flows, in turn; gives the two medians."""
    empty, loaded = [], []
    for _ in range(rounds):
        empty += measure.connect(contender, 64).values()
        with idle_flows(contender, count):
            loaded += measure.connect(contender, 64).values()
    return {"flows": count, "empty": statistics.median(empty), "with_idle_flows": statistics.median(loaded)}


def connect_for_long(contender, measure, parallel, seconds):
    """New connections per second, and those in the last third by those in the first."""
    rate, = measure.connect(contender, parallel, seconds).values()
    by_second = measure.by_second
    third = max(1, len(by_second) // 3)
    return {"seconds": seconds, "per_second": rate, "by_second": by_second,
            "last_by_first": round(sum(by_second[-third:]) / max(1, sum(by_second[:third])), 3)}


def ups(contender, times):
    """Milliseconds from typing `tunctl up` to its end, the path proven; the process's own start included."""
    laptop = contender.lab.laptop(1)
    took = []
    for _ in range(times):
        laptop.tunctl("down")
        start = time.monotonic()
        laptop.up()
        took.append((time.monotonic() - start) * 1e3)
    contender.dress()
    return {"median_ms": round(statistics.median(took), 2), "all_ms": [round(value, 2) for value in took]}


def measure_all(running, measure, quick, wanted, say):
    """{contender: {...}}; what fails is told in words under "failed"."""
    found = {}
    for contender in running:
        entry = found.setdefault(contender.key, {"flows": {}, "long": {}, "failed": []})

        def attempt(place, key, what, function, *arguments):
            try:
                place[key] = function(*arguments)
                say(f"{contender.title}: {what}")
            except Failed as error:
                entry["failed"].append(f"{what}: {error}")
                say(f"{contender.title}: {what} FAILED: {error}")

        if wanted("memory") and contender.processes():
            attempt(entry, "idle", "idle", idle, contender, 3 if quick else IDLE_SECONDS)
            for count in contender.idle_flows[:1] if quick else contender.idle_flows:
                attempt(entry["flows"], str(count), f"{count} idle flows", with_flows, contender, count, 3 if quick else IDLE_SECONDS)
        if wanted("connect"):
            for parallel in (1, 64):
                attempt(entry["long"], str(parallel), f"new connections for long, {parallel} at once", connect_for_long, contender, measure,
                        parallel, 6 if quick else LONG_SECONDS)
        if contender.key != "C":
            continue
        if wanted("up"):
            attempt(entry, "up", "tunctl up", ups, contender, 2 if quick else 5)
        if wanted("connect"):
            most = contender.idle_flows[0 if quick else -1]
            attempt(entry, "beside_idle", f"new connections beside {most} idle flows", connect_with_idle_flows, contender, measure, most,
                    1 if quick else 3)
    return found
