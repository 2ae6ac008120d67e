"""The lab as a whole: up, down, status."""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import sys
import time

from . import build, layout, netns, network, services, tunnel, wan
from .processes import Processes, ancestors, end_all
from .shell import LabError, run, tail

STATE = layout.RUN / "state.json"


def say(text):
    print(f"lab: {text}", flush=True)


@contextlib.contextmanager
def one_at_a_time():
    """Two commands at once would take each other's half-made world for broken. The lock leaves no file behind."""
    with open(__file__) as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def _timed(what):
    start = time.monotonic()
    yield
    say(f"{what} ({time.monotonic() - start:.1f} s)")


class Lab:
    """What is there now; empty when the lab is down."""

    def __init__(self):
        try:
            self.state = json.loads(STATE.read_text())
        except (OSError, ValueError):
            self.state = {}
        self.processes = Processes(self.state.setdefault("processes", {}), self.save)
        self.gateway = tunnel.Gateway(self.processes)

    def save(self):
        layout.RUN.mkdir(parents=True, exist_ok=True)
        fresh = STATE.with_suffix(".new")
        fresh.write_text(json.dumps(self.state, indent=1))
        fresh.rename(STATE)

    @property
    def clients(self):
        return self.state.get("clients", 0)

    @property
    def direct(self):
        return self.state.get("direct", False)

    @property
    def has_wan(self):
        return self.state.get("wan", False)

    def wan(self, number=1):
        return wan.Wan(self.processes, number)

    def laptop(self, number=1):
        return tunnel.Laptop(self.processes, number)

    def laptops(self):
        return [self.laptop(number) for number in range(1, self.clients + 1)]

    def dead(self):
        return [name for name in self.processes.names() if not self.processes.alive(name)]

    def is_up(self):
        return self.state.get("complete", False) and not self.dead() and all(
            netns.exists(name) for name in self._namespaces())

    def _namespaces(self):
        return [layout.CLUSTER, layout.HOME, *([layout.WAN] if self.has_wan else []),
                *(layout.laptop(number) for number in range(1, self.clients + 1))]

    # --- up -------------------------------------------------------------------------------------------------------------

    def up(self, clients, direct, connect=True, path=None):
        """Makes what is missing. Anything broken that is there goes first. `connect`: daemons are told to bring their tunnels up.
        `path`: settings of a wide-area path before each laptop, with its "seed"; None: plain wires."""
        fits = self.is_up() and self.direct == direct and self.has_wan == (path is not None)
        if fits and path is not None:
            fits = self.state["seed"] == path["seed"]
        if fits and self.clients >= clients:
            say(f"is up already, {_count(self.clients)}")
            self._set_wans(path)
            if connect:
                self._prove()
            return
        if not fits:
            if self.state.get("complete") or network.namespaces() or layout.RUN.exists():
                say("what is there is incomplete or of another kind: taking it down first")
                self.down(quiet=True)
            self._make_cluster(direct, path)
        self._set_wans(path)
        self._make_clients(clients, connect, path)
        say(f"is up, {_count(self.clients)}")

    def _make_cluster(self, direct, path):
        self.state.update(direct=direct, clients=0, complete=False, wan=path is not None, seed=(path or {}).get("seed"), made=[
            str(path) for path in (layout.NETNS_ETC, "/run/netns") if not os.path.exists(path)])
        self.save()
        with _timed("the cluster's and the home network"):
            network.make_cluster()
            network.make_home()
            if path is not None:
                network.make_wan()
        with _timed("DNS, nginx, redis, PostgreSQL, iperf3 and the probe service"):
            services.start_all(self.processes, direct)
        if not direct:
            with _timed("the gateway, as an ordinary user"):
                self.gateway.make_keys()
                self.gateway.write_config()
                self.gateway.start()

    def _make_clients(self, clients, connect, path):
        for number in range(self.clients + 1, clients + 1):
            self.state["complete"] = False
            with _timed(f"laptop {number}"):
                network.make_laptop(number, wan=path is not None)
                self.state["clients"] = number
                self.save()
                if path is not None:
                    self._start_wan(number, path)
                if not self.direct:
                    self._start_daemon(self.laptop(number), connect)
        self.state["complete"] = True
        self.save()

    def _start_wan(self, number, path):
        settings = {name: path[name] for name in wan.NONE}
        self.wan(number).start(settings, path["seed"] + number - 1)
        say(f"wide-area path of laptop {number}: {wan.describe(self.wan(number).show())}")

    def _set_wans(self, path):
        for number in range(1, self.clients + 1) if path is not None else ():
            self.wan(number).heal()
            shown = self.wan(number).set(**{name: path[name] for name in wan.NONE})
            say(f"wide-area path of laptop {number}: {wan.describe(shown)}")

    def _start_daemon(self, laptop, connect):
        self.gateway.allow(laptop.make_key(), f"laptop{laptop.number}")
        laptop.write_profile(tunnel.DEMO, self.gateway.public_key())
        laptop.start()
        if connect:
            laptop.up()

    def _prove(self):
        for laptop in [] if self.direct else self.laptops():
            laptop.up()

    # --- down -----------------------------------------------------------------------------------------------------------

    def down(self, quiet=False):
        """Takes everything away, also what a killed or failed `up` left."""
        spared = ancestors()
        for name in sorted(self.processes.names(), key=lambda name: not name.startswith("tund")):
            first = signal.SIGINT if name == "postgres" else signal.SIGTERM
            if not self.processes.stop(name, first):
                say(f"{name} did not end by itself and was killed")
        found = network.namespaces()
        for namespace in found:
            end_all(pid for pid in netns.processes_in(namespace) if pid not in spared)
            network.remove(namespace)
        was = bool(found) or layout.RUN.exists()
        made = self.state.get("made", [])
        shutil.rmtree(layout.RUN, ignore_errors=True)
        for folder in layout.NETNS_ETC.glob("cw-*"):
            if layout.NAMESPACE.fullmatch(folder.name):
                shutil.rmtree(folder, ignore_errors=True)
        for folder in made:
            _remove_empty(folder)
        self.__init__()
        if not quiet:
            say("is down" if was else "was down already")

    # --- looking --------------------------------------------------------------------------------------------------------

    def status(self):
        """Prints what runs; gives the exit code."""
        if not self.state.get("clients") and not network.namespaces():
            say("is down")
            return 1
        say(f"{'up' if self.is_up() else 'INCOMPLETE'}, {_count(self.clients)}" + (", without a tunnel" if self.direct else ""))
        for name in self.processes.names():
            alive = self.processes.alive(name)
            print(f"  {name:<16} {'process ' + str(self.processes.pid(name)) if alive else 'DEAD, log: ' + str(self.processes.log(name))}")
        for number in range(1, self.clients + 1) if self.has_wan else ():
            alive = self.processes.alive(self.wan(number).name)
            print(f"  wide-area path of laptop {number}: {wan.describe(self.wan(number).show()) if alive else 'DEAD'}")
        for laptop in [] if self.direct else self.laptops():
            print(f"  laptop {laptop.number}: tunctl status")
            result = laptop.tunctl("status")
            print("".join(f"    {line}\n" for line in (result.stdout + result.stderr).splitlines()), end="")
        return 0 if self.is_up() else 1

    def environment(self):
        """NAME=VALUE lines for a shell, for comparisons with the way around the tunnel."""
        lines = {"DIRECT4": layout.DIRECT[0], "DIRECT6": layout.DIRECT[1],
                 "GATEWAY": f"{layout.GATEWAY_ADDRESS[0]}:{layout.GATEWAY_PORT}", "CLUSTER_NAMESPACE": layout.CLUSTER}
        for laptop in self.laptops():
            lines[f"LAPTOP{laptop.number}_NAMESPACE"] = laptop.namespace
            lines[f"LAPTOP{laptop.number}_SOCKET"] = laptop.socket
        return "".join(f"{key}={value}\n" for key, value in lines.items())


def _count(clients):
    return "one laptop" if clients == 1 else f"{clients} laptops"


def _remove_empty(folder):
    """A folder that was not there before us. `ip netns` mounts its own onto itself."""
    if not os.path.isdir(folder) or os.listdir(folder):
        return
    if os.path.ismount(folder):
        run("umount", folder, check=False)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def bring_up(clients=1, direct=False, with_build=True, connect=True, path=None):
    """`lab up`: `path` says what a wide-area path does (wan.NONE, and "seed"), None stands for plain wires. Gives its exit
    code. A failure says which part failed, shows its log's end, and leaves nothing."""
    try:
        if path is not None:
            path = {**wan.NONE, "seed": wan.SEED, **path}
        if with_build and not (direct and path is None):
            build.setup(("build", "lab"))
            with _timed("built"):
                build.build(build.programs())
        with one_at_a_time():
            _up_or_down(clients, direct, connect, path)
        return 0
    except LabError as error:
        return fail(error)


def _up_or_down(clients, direct, connect, path):
    lab = Lab()
    try:
        lab.up(clients, direct, connect, path)
    except BaseException as error:
        # The logs go with the rest: their end is kept for who called.
        if isinstance(error, LabError) and error.log:
            error.text = tail(error.log)
        lab.down(quiet=True)
        raise


def fail(error):
    print(f"lab: FAILED: {error.part}: {error.reason}", file=sys.stderr)
    text = getattr(error, "text", None) or (tail(error.log) if error.log else "")
    if text:
        print(f"lab: the end of {error.log}:", file=sys.stderr)
        print("".join(f"  | {line}\n" for line in text.splitlines()), end="", file=sys.stderr)
    return 1


def bring_down():
    with one_at_a_time():
        Lab().down()
    return 0
