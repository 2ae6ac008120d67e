"""The gateway in the cluster, and a daemon with its profiles on each laptop."""

import json
import os
import shutil
import subprocess
import sys

from . import layout
from .services import _listens
from .shell import LabError, run, wait_until

DEMO = "demo"


def private_key(path, owner=0):
    """A new private key in `path`; gives its public key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    run(layout.TUNCTL, "keygen", path, part="keys")
    os.chmod(path, 0o600)
    os.chown(path, owner, owner)
    return public_key(path)


def public_key(path):
    return run(layout.TUNCTL, "pubkey", path, part="keys").stdout.strip()


class Gateway:
    """tun-gateway as an ordinary user without capabilities."""

    NAME = "gateway"

    def __init__(self, processes):
        self._processes = processes
        self.folder = layout.gateway_dir()
        self.key_file = self.folder / "gateway.key"
        self.clients_file = self.folder / "clients"
        self.config_file = self.folder / "gateway.toml"

    def make_keys(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        os.chown(self.folder, layout.GATEWAY_UID, layout.GATEWAY_UID)  # its control socket is made there
        private_key(self.key_file, layout.GATEWAY_UID)
        self.clients_file.write_text("# KEY NAME\n")

    def public_key(self):
        return public_key(self.key_file)

    def write_config(self, extra=""):
        forbidden = ", ".join(f'"{address}/{128 if ":" in address else 32}"' for address in layout.SERVICES["forbidden.shop"])
        self.config_file.write_text(f"""listen = ["0.0.0.0:{layout.GATEWAY_PORT}", "[::]:{layout.GATEWAY_PORT}"]
key_file = "{self.key_file}"
clients_file = "{self.clients_file}"
deny = [{forbidden}]
intercept_grace = {layout.GRACE}
control_socket = "{layout.gateway_control_socket()}"
{extra}
{service_tables()}""")

    def allow(self, key, name):
        self._replace_clients(self.clients_file.read_text() + f"{key} {name}\n")

    def forbid(self, name):
        lines = self.clients_file.read_text().splitlines(keepends=True)
        self._replace_clients("".join(line for line in lines if line.split()[1:2] != [name]))

    def _replace_clients(self, text):
        """Returns when the gateway goes by the new file, if it runs."""
        read_before = self._times_read()
        fresh = self.clients_file.with_suffix(".new")
        fresh.write_text(text)
        fresh.rename(self.clients_file)
        if self._processes.alive(self.NAME):
            wait_until(lambda: self._times_read() > read_before, 3)

    def _times_read(self):
        return self.log().read_text().count("may enter") if self.log().exists() else 0

    def start(self):
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "as_user.py")
        command = [sys.executable, script, layout.GATEWAY_UID, layout.GATEWAY, "--config", self.config_file]
        self._processes.start(self.NAME, layout.CLUSTER, command)
        self._processes.wait_ready(self.NAME, lambda: _listens(layout.CLUSTER, "0.0.0.0", layout.GATEWAY_PORT), 10,
                                   "not listening")

    def command(self, *words):
        """What its administrator types on its machine; the result is looked at by the caller."""
        return run(layout.GATEWAY, *words, "--config", self.config_file, check=False)

    def running(self):
        return self._processes.alive(self.NAME)

    def stop(self):
        return self._processes.stop(self.NAME)

    def kill(self):
        self._processes.kill(self.NAME)

    def log(self):
        return self._processes.log(self.NAME)


# Service: protocol, port, original, and what its process finds in its environment.
INTERCEPTABLE = {
    "orders": ("http", layout.HTTP_PORT, f"orders-v1.shop.svc.cluster.local:{layout.HTTP_PORT}",
               {"DB_HOST": "db.shop", "GREETING": "It's \"here\", for $5\n\tand `more`"}),
    "prices": ("http", layout.HTTP_PORT, f"{layout.PODS[0][0]}:{layout.HTTP_PORT}", {}),
    "ledger": ("tcp", layout.LEDGER_PORT, f"{layout.SERVICES['echo.shop'][0]}:{layout.PROBE_PORT}", {}),
}
REFUSES_WHEN_DOWN = ("prices",)


def service_tables():
    """The [[service]] tables of the gateway's configuration: what stands at NAME.shop, see layout.BY_GATEWAY."""
    text = ""
    for name, (protocol, port, original, environment) in INTERCEPTABLE.items():
        four, six = layout.SERVICES[f"{name}.shop"]
        variables = "".join(f"{key} = {json.dumps(value)}\n" for key, value in environment.items())
        text += f"""[[service]]
name = "{name}"
listen = ["{four}:{port}", "[{six}]:{port}"]
protocol = "{protocol}"
original = "{original}"
local_down = "{'refuse' if name in REFUSES_WHEN_DOWN else 'original'}"
[service.environment]
{variables}
"""
    return text


class Laptop:
    """tund on one laptop, and tunctl as somebody types it there."""

    def __init__(self, processes, number):
        self._processes = processes
        self.number = number
        self.namespace = layout.laptop(number)
        self.name = f"tund{number}"
        self.profiles = layout.profiles_dir(number)
        self.socket = layout.control_socket(number)

    def environment(self):
        """What a command on this laptop sees: the daemon to talk to, and tunctl found by its name."""
        path = f"{layout.TUNCTL.parent}:{os.environ.get('PATH', '/usr/sbin:/usr/bin:/sbin:/bin')}"
        return {**os.environ, "CAUSEWAY_SOCKET": str(self.socket), "PATH": path}

    def make_key(self, name="laptop"):
        return private_key(self.profiles / f"{name}.key")

    def write_profile(self, name, gateway_key, gateways=None, key="laptop", routes=layout.ROUTES, extra=""):
        gateways = gateways or [f"{layout.GATEWAY_ADDRESS[0]}:{layout.GATEWAY_PORT}",
                                f"[{layout.GATEWAY_ADDRESS[1]}]:{layout.GATEWAY_PORT}"]
        quoted = [", ".join(f'"{word}"' for word in words) for words in (gateways, routes)]
        self.profiles.mkdir(parents=True, exist_ok=True)
        (self.profiles / f"{name}.toml").write_text(f"""gateways = [{quoted[0]}]
gateway_key = "{gateway_key}"
key_file = "{key}.key"
routes = [{quoted[1]}]
{extra}
[dns]
domain = "cluster.local"
short = "shop"
""")

    def start(self):
        state = layout.journal_dir(self.number)
        state.mkdir(parents=True, exist_ok=True)
        command = [layout.TUND, "--state", state, "--socket", self.socket, "--profiles", self.profiles]
        starts = self._times_ready()
        self._processes.start(self.name, self.namespace, command)
        self._processes.wait_ready(self.name, lambda: self._times_ready() > starts, 10, "it does not become ready")

    def _times_ready(self):
        return self.log().read_text().count(" is ready") if self.log().exists() else 0

    def running(self):
        return self._processes.alive(self.name)

    def pid(self):
        return self._processes.pid(self.name)

    def stop(self):
        return self._processes.stop(self.name)

    def kill(self):
        self._processes.kill(self.name)

    def log(self):
        return self._processes.log(self.name)

    def exec(self, *command, timeout=60, **options):
        """Runs a command on the laptop; the result is looked at by the caller."""
        options.setdefault("capture_output", True)
        options.setdefault("text", True)
        options.setdefault("stdin", subprocess.DEVNULL if "input" not in options else None)
        if options["stdin"] is None:
            del options["stdin"]
        return subprocess.run(["ip", "netns", "exec", self.namespace, *(str(word) for word in command)], timeout=timeout,
                              env=self.environment(), cwd="/", **options)

    def tunctl(self, *words, timeout=60):
        return self.exec(layout.TUNCTL, *words, timeout=timeout)

    def up(self, profile=DEMO):
        result = self.tunctl("up", profile)
        if result.returncode != 0:
            raise LabError(f"`tunctl up {profile}` on laptop {self.number}",
                           f"exit code {result.returncode}\n{(result.stdout + result.stderr).strip()}", self.log())
        return result.stdout


def forget_laptop(number):
    shutil.rmtree(layout.laptop_dir(number), ignore_errors=True)
