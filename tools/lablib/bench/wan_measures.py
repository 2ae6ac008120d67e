"""Bulk through the emulated wide-area path, with small requests beside it where the path has a rate, and so a queue.

Where nothing is lost one contender after the other is asked. With losses a flow that slows down for each is far below any rate, and its
figure a matter of which frames are lost, so it takes long: there all are asked at the same time, as they do not come into each other's way.
"""

import json
from dataclasses import dataclass

from .. import layout, network, wan
from ..shell import LabError
from .contenders import LOAD_PORT, THROUGH_WAN
from .loads import Failed, bits_per_second, end, finish, iperf, load
from .rounds import Together

# A server takes one client, and over a long way it takes it a while to see that the last one is gone.
PORTS = {kind.key: port for kind, port in zip(THROUGH_WAN, layout.IPERF_PORTS)}
REQUESTS = 4  # connections with one small request at a time each
OVERHEAD = 2.5  # seconds of a measure that are neither warm-up nor measured


@dataclass(frozen=True)
class Path:
    round_trip: int  # ms
    rate: int  # Mbit/s; 0: no limit
    loss: int  # percent, each way

    def __str__(self):
        return f"{self.round_trip} ms" + (f", {self.rate} Mbit/s" if self.rate else "") + (f", {self.loss}% loss" if self.loss else "")

    def settings(self):
        return {**wan.NONE, "delay": self.round_trip / 2, "rate": self.rate, "loss": self.loss}


PATHS = [Path(round_trip, rate, loss) for loss in (0, 1) for round_trip in (20, 80) for rate in (100, 0)]
LED_BY_LOSS = ("cubic", "reno")


def _at_once(path):
    return path.loss > 0 and network.congestion_control in LED_BY_LOSS


def figure(path, way, beside=""):
    return f"bulk {way}, {path}" + (f": requests beside, {beside}" if beside else "")


class WanMeasures:
    """`path` is the lab's; `seconds` and `warm_up` those of the other measures, of which these take a multiple."""

    def __init__(self, path, seconds, warm_up):
        self._path = path
        self._each = seconds
        self.warm_up = warm_up

    def seconds(self, path):
        return self._each * (2 if not _at_once(path) else 4 if path.round_trip <= 20 else 8)

    def all(self):
        """(name, measure) in the order of a round."""
        for path in PATHS:
            for way in ("up", "down"):
                yield f"wan {path}, {way}", Together(self._asked(path, way)) if _at_once(path) else self._one_by_one(path, way)

    def takes(self, contenders):
        """Seconds of a round with so many contenders, about."""
        return sum(2 * (self.seconds(path) + self.warm_up + OVERHEAD) * (1 if _at_once(path) else contenders) for path in PATHS)

    def _asked(self, path, way):
        return lambda contenders: self._through(contenders, path, way)

    def _one_by_one(self, path, way):
        return lambda contender: self._through([contender], path, way)[contender.key]

    def _through(self, contenders, path, way):
        """{key: figures, or the Failed}."""
        missed = self._missed()
        try:
            self._path.set(**path.settings())
            for contender in contenders:
                contender.begin_anew()
            answers = self._run(contenders, path, way)
        except LabError as error:
            answers = {contender.key: Failed(str(error)) for contender in contenders}
        finally:
            self._path.reset()
        if self._missed() != missed:
            return {key: Failed("the path itself failed to carry some frames") for key in answers}
        return answers

    def _run(self, contenders, path, way):
        seconds = self.seconds(path)
        bulk, requests = {}, {}
        try:
            for contender in contenders:
                bulk[contender.key] = iperf(contender, PORTS[contender.key], 1, way, seconds + 1, self.warm_up)
                if path.rate:
                    requests[contender.key] = load("rr", contender, LOAD_PORT, "--connections", REQUESTS, seconds=seconds, warm_up=self.warm_up)
            return {key: self._outcome(path, way, bulk[key], requests.get(key)) for key in bulk}
        finally:
            end([*bulk.values(), *requests.values()])

    def _outcome(self, path, way, bulk, requests):
        limit = self.seconds(path) + self.warm_up
        try:
            figures = {figure(path, way): bits_per_second(json.loads(finish(bulk, limit))) / 1e6}
            if requests:
                took = json.loads(finish(requests, limit))
                figures.update({figure(path, way, part): took[f"{part}_us"] / 1e3 for part in ("p50", "p99")})
            return figures
        except Failed as error:
            return error

    def _missed(self):
        shown = self._path.show()
        return shown["up_missed"] + shown["down_missed"]
