"""The programs that measures start on the laptop, and how they end."""

import contextlib
import json
import subprocess

from .. import layout, network
from .contenders import LAPTOP

LOAD = layout.BUILD / "bench/load/cw-load"
PATIENCE = 40


class Failed(Exception):
    """This measurement came to nothing; the others go on."""


def start_in(namespace, *words, **options):
    return subprocess.Popen(["ip", "netns", "exec", namespace, *map(str, words)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **{"stdin": subprocess.DEVNULL, **options})


def start_on_laptop(*words, **options):
    return start_in(LAPTOP, *words, **options)


def finish(process, seconds):
    """What it printed. It is there for `seconds` by its own account, or has failed."""
    try:
        out, said = process.communicate(timeout=seconds + PATIENCE)
    except subprocess.TimeoutExpired:
        end([process])
        raise Failed("it did not end") from None
    if process.returncode != 0:
        raise Failed((said + out).strip()[-200:])
    return out


def end(processes):
    """Those that are still there."""
    for process in processes:
        if process.poll() is None:
            process.kill()
            process.communicate()


def iperf(contender, port, flows, way, seconds, warm_up):
    """Bulk; `seconds` are counted after `warm_up`. Prints a report in JSON."""
    words = ["iperf3", "-J", "-C", network.congestion_control, "-c", contender.host, "-p", port, "-t", seconds, "-O", warm_up, "-P", flows]
    return start_on_laptop(*words, *(["-R"] if way == "down" else []))


def bits_per_second(report):
    """What arrived."""
    received = report["end"].get("sum_received")
    if received is None:
        raise Failed(f"iperf3 has no result: {report.get('error') or json.dumps(report)[-200:]}")
    return received["bits_per_second"]


def load(verb, contender, port, *words, seconds, warm_up):
    """One of cw-load's small loads. Prints a report in JSON."""
    return start_on_laptop(LOAD, verb, contender.host, port, "--seconds", seconds, "--warm-up", warm_up, *words)


@contextlib.contextmanager
def standing_load(verb, contender, port, flows, *words):
    """So many connections, as cw-load's `verb` says of them, for as long as the block lasts."""
    process = start_on_laptop(LOAD, verb, contender.host, port, "--flows", flows, *words, stdin=subprocess.PIPE)
    try:
        line = process.stdout.readline()
        if not line or json.loads(line)["open"] != flows:
            raise Failed(f"{verb}, {flows} flows: {process.stderr.read().strip()[-200:]}")
        yield
    finally:
        process.stdin.close()
        process.stdin = None
        try:
            process.communicate(timeout=60)
        finally:
            end([process])
