"""The goals, as ratios within one run: the least, what we want, and what was reached."""

from dataclasses import dataclass
from typing import Optional

from . import wan_measures
from .measures import STALLED
from .standing import LONG_SECONDS


@dataclass
class Goal:
    name: str
    what: str
    reached: Optional[float]
    least: Optional[float]
    want: Optional[float]
    more_is_better: bool = True
    unit: str = ""

    def verdict(self):
        if self.reached is None:
            return "not measured"
        if self.want is not None and self._meets(self.want):
            return "as wanted"
        if self.least is None:
            return "below what we want"
        return "least" if self._meets(self.least) else "MISSED"

    def _meets(self, bound):
        return self.reached >= bound if self.more_is_better else self.reached <= bound


def _get(tree, *keys):
    for key in keys:
        if not isinstance(tree, dict) or key not in tree:
            return None
        tree = tree[key]
    return tree


class _Results:
    def __init__(self, figures, standing):
        self.figures = figures
        self._standing = standing

    def ratio(self, figure, other, of="C"):
        return self.figures[figure].ratio(of, other) if figure in self.figures else None

    def own(self, figure):
        return self.figures[figure].median("C") if figure in self.figures else None

    def of_own(self, figure, other):
        mine, theirs = self.own(figure), self.own(other)
        return mine / theirs if mine is not None and theirs else None

    def once(self, *keys, of="C"):
        return _get(self._standing, of, *keys)

    def once_by(self, other, *keys):
        mine, theirs = self.once(*keys), self.once(*keys, of=other)
        return mine / theirs if mine is not None and theirs else None


def all_goals(figures, standing):
    results = _Results(figures, standing)
    return [*_bulk(results), *_latency(results), *_queue(results), *_connections(results), *_cost(results), *_idle(results), *_long_way(results),
            *_stalled(results), *_standing(results)]


def _bulk(results):
    for way in ("up", "down"):
        one = f"bulk {way}, 1 flow"
        yield Goal("S6", f"{one}, by W", results.ratio(one, "W"), 2, 4)
        yield Goal("S6", f"{one}, by P", results.ratio(one, "P"), 0.6, 1.1)
    for way in ("up", "down"):
        one = f"bulk {way}, 1 flow"
        for flows, least, want, jain in ((8, 0.9, 1.1, None), (512, 0.8, 1.0, (0.95, 0.98))):
            many = f"bulk {way}, {flows} flows"
            yield Goal("S7", f"{many}, by own 1 flow", results.of_own(many, one), least, want)
            if jain:
                yield Goal("S7", f"{many}: Jain's index", results.own(f"{many}: Jain's index"), *jain)
                yield Goal("S7", f"{many}: that stood still", results.own(f"{many}: flows that stood still"), 0, 0, False)


def _latency(results):
    p50, p99, beside = "request-response, p50", "request-response, p99", "request-response beside bulk, p99"
    yield Goal("S8", f"{p50}, by D", results.ratio(p50, "D"), 2.2, None, False)
    yield Goal("S8", f"{p50}, by W", results.ratio(p50, "W"), 0.6, None, False)
    yield Goal("S8", f"{p50}, by P", results.ratio(p50, "P"), None, 0.9, False)
    yield Goal("S9", f"{p99}, by D", results.ratio(p99, "D"), 2, 1.5, False)
    yield Goal("S9", f"{beside}, by P", results.ratio(beside, "P"), 2, 1, False)


def _queue(results):
    """Small requests beside bulk through a slow line."""
    path = wan_measures.Path(20, 100, 0)
    for way in ("up", "down"):
        for part in ("p50", "p99"):
            yield Goal("S10", f"{path}: requests beside bulk {way}, {part}, by D",
                       results.ratio(wan_measures.figure(path, way, part), "D"), 1.2, 0.5, False)
        yield Goal("S10", f"{path}: bulk {way} kept, by D", results.ratio(wan_measures.figure(path, way), "D"), 0.9, 0.95)


def _long_way(results):
    for path, least, want in ((wan_measures.Path(80, 0, 0), 0.8, 0.95), (wan_measures.Path(80, 0, 1), 0.9, 1.0)):
        for way in ("up", "down"):
            yield Goal("S17", f"bulk {way}, 1 flow, {path}, by D", results.ratio(wan_measures.figure(path, way), "D"), least, want)


def _stalled(results):
    for way in ("up", "down"):
        for count in STALLED:
            beside = f"bulk {way}, 8 flows beside {count} stalled"
            yield Goal("S18", f"{beside}, by alone", results.own(f"{beside}: of alone"), 0.95, 0.99)


def _connections(results):
    many, http = "new connections, 64 at once", "HTTP requests, 16 connections"
    seconds = results.once("long", "64", "seconds") or LONG_SECONDS
    yield Goal("S11", f"{many}, by P", results.ratio(many, "P"), 1.2, 1.8)
    yield Goal("S11", f"{many}, by W", results.ratio(many, "W"), 1.6, None)
    for other, least, want in (("P", 1.2, 1.8), ("W", 1.6, None)):
        yield Goal("S11", f"the same for {seconds} s, by {other}", results.once_by(other, "long", "64", "per_second"), least, want)
    yield Goal("S11", f"the same for {seconds} s: last third by first", results.once("long", "64", "last_by_first"), 0.95, 1)
    empty, loaded = results.once("beside_idle", "empty"), results.once("beside_idle", "with_idle_flows")
    yield Goal("S12", f"the same beside {results.once('beside_idle', 'flows') or 15000} idle flows, by without", loaded / empty if empty else None, 0.8, 1)
    yield Goal("S13", f"{http}, by P", results.ratio(http, "P"), 1.2, 1.6)
    yield Goal("S13", f"{http}, by W", results.ratio(http, "W"), 2, None)


def _cost(results):
    for way in ("up", "down"):
        yield Goal("S14", f"whole machine, {way}", results.own(f"bulk {way}, 1 flow: whole machine"), 3.3, 1.8, False, "core-s/GB")


def _idle(results):
    for end, name in (("laptop", "laptop"), ("cluster", "gateway")):
        memory = results.once("flows", "15000", end, "anonymous")
        yield Goal("S15", f"memory per idle flow, {name}", memory / 1e3 if memory is not None else None, 2.5, 1.2, False, "KB")
    cores = results.once("flows", "15000", "cores")
    yield Goal("S16", "CPU with 15k idle flows, both ends", cores * 100 if cores is not None else None, 5, 1, False, "% of a core")


def _standing(results):
    yield Goal("S19", "tunctl up, proven", results.once("up", "median_ms"), 50, 15, False, "ms")
    for end, name in (("laptop", "laptop"), ("cluster", "gateway")):
        memory = results.once("idle", end, "anonymous")
        yield Goal("S20", f"idle memory, anonymous, {name}", memory / 1e6 if memory is not None else None, 12, 5, False, "MB")
        yield Goal("S20", f"idle wake-ups, {name}", results.once("idle", end, "wake_ups_per_second"), 2, 0.5, False, "1/s")
