"""A service through the gateway that lets clients intercept it, beside what else could stand in its place; and how soon an intercept is
ready. Who asks is in the cluster, as a service's clients are."""

import json
import re
import shutil
import statistics
import time

from .. import layout, services
from ..services import _listens
from ..shell import LabError, run
from .contenders import LAPTOP
from .goals import Goal
from .loads import Failed, finish, start_in

ORIGINAL = layout.SERVICES["orders-v1.shop"][0]
HTTP_RELAY_PORT, TCP_RELAY_PORT = 8001, 8002
LOCAL_PORT = 8080
CONNECTIONS = (1, 16)
READY_TIMES = 15
PATH = {"delay": 20}  # of the lab in which readiness is measured once more: milliseconds each way
ROUND_TRIPS, BESIDE_MS, ADDED_MS = 5, 50, 5  # ready within so many round trips and milliseconds; what a request may take longer


class Way:
    """Where wrk asks, and from where."""

    def __init__(self, key, title, url, namespace=layout.CLUSTER):
        self.key, self.title, self.url, self.namespace = key, title, url, namespace

    def version(self):
        return {"haproxy": run("haproxy", "-v").stdout.split()[2]} if self.key == "H" else {}


WAYS = (
    Way("D", "the original, directly", f"http://{ORIGINAL}/"),
    Way("T", "one haproxy, TCP mode", f"http://{layout.GATEWAY_ADDRESS[0]}:{TCP_RELAY_PORT}/"),
    Way("H", "one haproxy, HTTP mode, adds X-Forwarded-For", f"http://{layout.GATEWAY_ADDRESS[0]}:{HTTP_RELAY_PORT}/"),
    Way("G", "the gateway, nobody intercepts", f"http://{layout.SERVICES['orders.shop'][0]}/"),
    Way("I", "the gateway, a process on the laptop answers", f"http://{layout.SERVICES['prices.shop'][0]}/"),
    Way("L", "the same process, asked on the laptop", f"http://127.0.0.1:{LOCAL_PORT}/", LAPTOP),
)


def start(world):
    """Everything that is asked by the WAYS."""
    if not shutil.which("haproxy"):
        raise LabError("bench", "haproxy is not installed")
    config = layout.RUN / "relay-original.cfg"
    server = f"server original {ORIGINAL}:{layout.HTTP_PORT}"
    config.write_text(f"""global
  maxconn 8000
defaults
  maxconn 8000
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen http
  mode http
  option forwardfor
  bind {layout.GATEWAY_ADDRESS[0]}:{HTTP_RELAY_PORT}
  {server}
listen tcp
  mode tcp
  bind {layout.GATEWAY_ADDRESS[0]}:{TCP_RELAY_PORT}
  {server}
""")
    world.processes.start("relay-original", layout.CLUSTER, ["haproxy", "-db", "-f", config])
    world.processes.wait_ready("relay-original", lambda: _listens(layout.CLUSTER, layout.GATEWAY_ADDRESS[0], TCP_RELAY_PORT), 10,
                               "not listening")
    services._nginx(world.processes, "nginx-local", LAPTOP, [("127.0.0.1", LOCAL_PORT)], "prices: nginx on the laptop")()
    _intercept(world.laptop(1), "prices")


def _intercept(laptop, service):
    result = laptop.tunctl("intercept", service, "--port", LOCAL_PORT)
    if result.returncode != 0:
        raise LabError("bench", f"`tunctl intercept {service}`: {(result.stdout + result.stderr).strip()}", laptop.log())


def figure(connections, beside=""):
    return f"HTTP requests, {connections} connection{'s' if connections > 1 else ''}" + (f": {beside}" if beside else "")


class Measures:
    """`seconds` are counted after `warm_up`."""

    def __init__(self, seconds, warm_up):
        self.seconds, self.warm_up = seconds, warm_up

    def all(self):
        for connections in CONNECTIONS:
            yield figure(connections), lambda way, connections=connections: self.http(way, connections)

    def http(self, way, connections):
        for seconds in filter(None, (self.warm_up, self.seconds)):
            words = ("wrk", "--latency", "-t", min(2, connections), "-c", connections, "-d", f"{seconds}s", way.url)
            out = finish(start_in(way.namespace, *words), seconds)
        if "Non-2xx" in out or "Socket errors" in out:
            raise Failed(f"wrk saw errors: {out[-200:]}")
        rate = float(re.search(r"Requests/sec:\s*([0-9.]+)", out).group(1))
        return {figure(connections): rate, figure(connections, "p50"): _latency(out, 50), figure(connections, "p99"): _latency(out, 99)}


def _latency(out, percent):
    """Milliseconds."""
    value, unit = re.search(rf"^\s*{percent}%\s+([0-9.]+)(us|ms|s)\s*$", out, re.M).groups()
    return float(value) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def ready(world, times=READY_TIMES):
    """From typing `tunctl intercept` to its end, proven; the program's own start included. Milliseconds, medians."""
    laptop = world.laptop(1)
    took = []
    for _ in range(times):
        begin = time.monotonic()
        _intercept(laptop, "ledger")
        took.append((time.monotonic() - begin) * 1e3)
        laptop.tunctl("leave", "ledger")
    link = json.loads(laptop.tunctl("status", "--json").stdout)["tunnels"][0]["round_trip_us"] / 1e3
    return {"median_ms": round(statistics.median(took), 2), "all_ms": [round(value, 2) for value in took], "round_trip_ms": round(link, 3)}


def goals(figures, readiness):
    """`readiness`: {where it was measured: what ready() gave}."""
    many, one = figure(CONNECTIONS[-1]), figure(CONNECTIONS[0])
    ratio = figures[many].ratio("G", "H") if many in figures else None
    yield Goal("I", f"{many}, nobody intercepts, by haproxy in HTTP mode", ratio, 0.6, 0.9)
    for part in ("p50", "p99"):
        found = figures.get(f"{one}: {part}")
        through, alone = (found.median("I"), found.median("L")) if found else (None, None)
        added = through - alone if through is not None and alone is not None else None
        yield Goal("I", f"{one}, {part}: added to what the process takes", added, ADDED_MS, None, False, "ms")
    for where, found in readiness.items():
        beside = found["median_ms"] - ROUND_TRIPS * found["round_trip_ms"]
        yield Goal("I", f"tunctl intercept, ready, {where}: beside {ROUND_TRIPS} round trips", beside, BESIDE_MS, None, False, "ms")


def readiness_table(readiness):
    return "\n".join(f"tunctl intercept, ready, {where}: {found['median_ms']:.1f} ms; the link's round trip is {found['round_trip_ms']:.2f} ms"
                     for where, found in readiness.items())
