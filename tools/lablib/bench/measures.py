"""What is measured of each contender. A measure gives figures: {name of the figure: value}."""

import contextlib
import json
import re
import subprocess

from .. import layout
from ..shell import run
from . import machine
from .contenders import LAPTOP, LOAD_PORT

LOAD = layout.BUILD / "bench/load/cw-load"
PATIENCE = 40


class Failed(Exception):
    """This measurement came to nothing; the others go on."""


def start_on_laptop(*words, **options):
    return subprocess.Popen(["ip", "netns", "exec", LAPTOP, *map(str, words)], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **{"stdin": subprocess.DEVNULL, **options})


def finish(process, seconds):
    try:
        out, said = process.communicate(timeout=seconds + PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise Failed("it did not end") from None
    if process.returncode != 0:
        raise Failed((said + out).strip()[-200:])
    return out


class Measures:
    """`seconds` are counted after `warm_up`."""

    def __init__(self, seconds, warm_up):
        self.seconds = seconds
        self.warm_up = warm_up

    def all(self):
        """(name, function of a contender) in the order of a round."""
        for flows in (1, 8, 512):
            for way in ("up", "down"):
                yield f"bulk {way}, {flows}", lambda contender, flows=flows, way=way: self.bulk(contender, flows, way)
        yield "rr idle", self.request_response
        yield "rr beside bulk", self.request_response_beside_bulk
        for parallel in (1, 64):
            yield f"connect, {parallel}", lambda contender, parallel=parallel: self.connect(contender, parallel)
        for connections in (16, 256):
            yield f"http, {connections}", lambda contender, connections=connections: self.http(contender, connections)
        yield "udp", self.udp

    # --- bulk -----------------------------------------------------------------------------------------------------------

    def _iperf(self, contender, port, flows, way, seconds):
        words = ["iperf3", "-J", "-C", "cubic", "-c", contender.host, "-p", port, "-t", seconds, "-O", self.warm_up, "-P", flows]
        return start_on_laptop(*words, *(["-R"] if way == "down" else []))

    def bulk(self, contender, flows, way):
        # One iperf3 takes 128 flows at most, and its server one client.
        ports = layout.IPERF_PORTS if flows > 128 else layout.IPERF_PORTS[:1]
        pids = contender.processes()
        with machine.Watch(pids) as watch:
            running = [self._iperf(contender, port, flows // len(ports), way, self.seconds) for port in ports]
            outputs = []
            try:
                outputs = [finish(process, self.seconds + self.warm_up) for process in running]
            finally:
                for process in running:
                    if process.poll() is None:
                        process.kill()
                        process.communicate()
        reports = [json.loads(text) for text in outputs]
        name = f"bulk {way}, {flows} flow{'s' if flows > 1 else ''}"
        figures = {name: sum(report["end"]["sum_received"]["bits_per_second"] for report in reports) / 1e9}
        if flows > 1:
            each = [stream["receiver"]["bytes"] for report in reports for stream in report["end"]["streams"]]
            figures[f"{name}: Jain's index"] = sum(each) ** 2 / (len(each) * sum(value * value for value in each) or 1)
            figures[f"{name}: flows that stood still"] = each.count(0)
        else:
            # The watch saw the warm-up too.
            moved = sum(interval["sum"]["bytes"] for report in reports for interval in report["intervals"])
            if watch.foreign <= machine.BUSY:
                figures[f"{name}: whole machine"] = watch.machine / moved * 1e9
            if pids:
                figures[f"{name}: tunnel's processes"] = watch.own / moved * 1e9
        return figures

    # --- small things ---------------------------------------------------------------------------------------------------

    def _load(self, verb, contender, port, *words, seconds=None):
        seconds = seconds or self.seconds
        process = start_on_laptop(LOAD, verb, contender.host, port, "--seconds", seconds, "--warm-up", self.warm_up, *words)
        return json.loads(finish(process, seconds + self.warm_up))

    def request_response(self, contender, beside=""):
        result = self._load("rr", contender, LOAD_PORT)
        return {f"request-response{beside}, p50": result["p50_us"], f"request-response{beside}, p99": result["p99_us"]}

    def request_response_beside_bulk(self, contender):
        bulk = self._iperf(contender, layout.IPERF_PORTS[0], 1, "up", self.seconds + 2)
        try:
            figures = self.request_response(contender, " beside bulk")
        finally:
            with contextlib.suppress(Failed):
                finish(bulk, self.seconds + 2)
        if bulk.returncode != 0:
            raise Failed("the bulk flow beside it failed")
        return figures

    def connect(self, contender, parallel, seconds=None):
        result = self._load("connect", contender, LOAD_PORT + 1, "--parallel", parallel, seconds=seconds)
        if result["failed"] > result["per_second"] * 0.01:
            raise Failed(f"{result['failed']} connections failed")
        self.by_second = result["by_second"]
        return {f"new connections, {parallel} at once": result["per_second"]}

    def http(self, contender, connections):
        url = f"http://{contender.host}/"
        for seconds in filter(None, (self.warm_up, self.seconds)):
            out = finish(start_on_laptop("wrk", "-t", 2, "-c", connections, "-d", f"{seconds}s", url), seconds)
        if "Non-2xx" in out or "Socket errors" in out:
            raise Failed(f"wrk saw errors: {out[-200:]}")
        return {f"HTTP requests, {connections} connections": float(re.search(r"Requests/sec:\s*([0-9.]+)", out).group(1))}

    def udp(self, contender):
        if not contender.udp:
            return {}
        result = self._load("udp", contender, LOAD_PORT)
        return {"UDP echoes": result["per_second"], "UDP echoes: loss": result["loss"] * 100}


def unit(figure):
    tail = figure.partition(": ")[2]
    if tail:
        return {"whole machine": "core-s/GB", "tunnel's processes": "core-s/GB", "loss": "%"}.get(tail, "")
    if figure.startswith("bulk"):
        return "Gbit/s"
    return "us" if figure.startswith("request-response") else "1/s"


def less_is_better(figure):
    return unit(figure) in ("us", "core-s/GB", "%") or figure.endswith("stood still")


def versions(contenders):
    commit = run("git", "-C", layout.ROOT, "describe", "--always", "--dirty", "--exclude", "*", check=False).stdout.strip()
    wrk = subprocess.run(["wrk", "--version"], capture_output=True, text=True).stdout.split()
    told = {"commit": commit or "none", "iperf3": run("iperf3", "--version").stdout.split()[1], "wrk": wrk[1].rpartition("/")[2]}
    for contender in contenders:
        told.update(contender.version())
    return told


