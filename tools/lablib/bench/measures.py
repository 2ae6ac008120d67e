"""What is measured of each contender. A measure gives figures: {name of the figure: value}."""

import contextlib
import json
import re

from .. import layout
from . import machine
from .contenders import LOAD_PORT, MUTE_PORT, POUR_PORT
from .loads import Failed, bits_per_second, end, finish, iperf, load, standing_load, start_on_laptop

STALLED = (1, 16)  # readers that have stalled, beside others


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
        for way in ("up", "down"):
            yield f"stalled, {way}", lambda contender, way=way: self.beside_stalled(contender, way)
        yield "rr idle", self.request_response
        yield "rr beside bulk", self.request_response_beside_bulk
        for parallel in (1, 64):
            yield f"connect, {parallel}", lambda contender, parallel=parallel: self.connect(contender, parallel)
        for connections in (16, 256):
            yield f"http, {connections}", lambda contender, connections=connections: self.http(contender, connections)
        yield "udp", self.udp

    # --- bulk -----------------------------------------------------------------------------------------------------------

    def bulk(self, contender, flows, way):
        # One iperf3 takes 128 flows at most, and its server one client.
        ports = layout.IPERF_PORTS if flows > 128 else layout.IPERF_PORTS[:1]
        pids = contender.processes()
        with machine.Watch(pids) as watch:
            running = [iperf(contender, port, flows // len(ports), way, self.seconds, self.warm_up) for port in ports]
            try:
                outputs = [finish(process, self.seconds + self.warm_up) for process in running]
            finally:
                end(running)
        reports = [json.loads(text) for text in outputs]
        name = f"bulk {way}, {flows} flow{'s' if flows > 1 else ''}"
        figures = {name: sum(map(bits_per_second, reports)) / 1e9}
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

    def beside_stalled(self, contender, way):
        """Eight flows, alone and beside connections that carry nothing because nobody reads them."""
        if contender.key != "C":
            return {}
        name = f"bulk {way}, 8 flows"
        before = self.bulk(contender, 8, way)[name]
        figures = {}
        for count in STALLED:
            # Up, the service does not read what the app writes; down, the other way round.
            port, *words = (MUTE_PORT, "--pour") if way == "up" else (POUR_PORT,)
            with standing_load("stall", contender, port, count, *words):
                beside = f"{name} beside {count} stalled"
                figures[beside] = self.bulk(contender, 8, way)[name]
        # What else has changed meanwhile is as much before as behind.
        alone = (before + self.bulk(contender, 8, way)[name]) / 2
        return {**figures, **{f"{beside}: of alone": rate / alone for beside, rate in figures.items()}}

    # --- small things ---------------------------------------------------------------------------------------------------

    def _load(self, verb, contender, port, *words, seconds=None):
        seconds = seconds or self.seconds
        process = load(verb, contender, port, *words, seconds=seconds, warm_up=self.warm_up)
        return json.loads(finish(process, seconds + self.warm_up))

    def request_response(self, contender, beside=""):
        result = self._load("rr", contender, LOAD_PORT)
        return {f"request-response{beside}, p50": result["p50_us"], f"request-response{beside}, p99": result["p99_us"]}

    def request_response_beside_bulk(self, contender):
        bulk = iperf(contender, layout.IPERF_PORTS[0], 1, "up", self.seconds + 2, self.warm_up)
        try:
            figures = self.request_response(contender, " beside bulk")
        finally:
            with contextlib.suppress(Failed):
                finish(bulk, self.seconds + 2)
        if bulk.returncode != 0:
            raise Failed("the bulk flow beside it failed")
        return figures

    def connect(self, contender, parallel, seconds=None):
        sources = [word for address in contender.sources for word in ("--from", address)]
        result = self._load("connect", contender, LOAD_PORT + 1, "--parallel", parallel, *sources, seconds=seconds)
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
