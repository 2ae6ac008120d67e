"""The ways from a laptop to the cluster that are held side by side. All end at the same services in the same namespaces."""

import os
import shutil

from .. import layout, netns, network, tunnel
from ..services import _listens
from ..shell import LabError, in_namespace, run, wait_until
from . import machine

LAPTOP = layout.laptop(1)
LOAD_PORT = 7100  # `cw-load serve`: echoes here, answers once and closes on the next
MUTE_PORT, POUR_PORT = LOAD_PORT + 2, LOAD_PORT + 3  # never reads; writes for ever
SOURCES = 10  # addresses that new connections come from, so that no ports run out
PORTS = f"{layout.HTTP_PORT} {layout.IPERF_PORTS[0]}-{layout.IPERF_PORTS[-1]} {LOAD_PORT}-{LOAD_PORT + 1}".split()


class Contender:
    """`host`: where a laptop finds the services by this way. Ends: (laptop's processes, cluster's processes)."""

    key = title = host = ""
    sources = ()  # the laptop's addresses on this way, beside its first
    udp = True
    idle_flows = ()  # how many its processes can hold, where they see flows at all

    def __init__(self, lab):
        self.lab = lab

    def missing(self):
        """Why it cannot take part, or None."""

    def version(self):
        """{program: version} of what is not ours."""
        return {}

    def start(self):
        pass

    def begin_anew(self):
        """What a tunnel has learned of its path is forgotten, so that it begins where a new connection does."""

    def ends(self):
        return [], []

    def processes(self):
        return [pid for end in self.ends() for pid in end]


class Direct(Contender):
    key, title, host = "D", "direct", layout.DIRECT[0]
    sources = [layout.uplink4(1, 100 + i) for i in range(SOURCES)]

    def start(self):
        _add_addresses("eth0", self.sources)


class Relays(Contender):
    """Two haproxies in a row as plain TCP relays: what relaying costs at all."""

    key, title, host = "P", "two haproxies, plain", "127.0.0.1"
    sources = [f"127.0.0.{100 + i}" for i in range(SOURCES)]
    udp = False
    idle_flows = (1000,)  # a flow is two descriptors there, and a process may have 20,000
    SHIFT = 10000  # the second one cannot listen where the services do

    def missing(self):
        return None if shutil.which("haproxy") else "haproxy is not installed"

    def version(self):
        return {"haproxy": run("haproxy", "-v").stdout.split()[2]}

    def start(self):
        first = [f"127.0.0.1:{ports}" for ports in PORTS]
        second = [f"{layout.GATEWAY_ADDRESS[0]}:{self._shifted(ports)}" for ports in PORTS]
        for to in (self.host, "127.0.0.0/8"):
            run("ip", "-n", LAPTOP, "route", "change", "local", to, "dev", "lo", "table", "local", *network.congestion())
        self._start("relay-cluster", layout.CLUSTER, second, f"{layout.DIRECT[0]}:-{self.SHIFT}",
                    layout.GATEWAY_ADDRESS[0], LOAD_PORT + self.SHIFT)
        self._start("relay-laptop", LAPTOP, first, f"{layout.GATEWAY_ADDRESS[0]}:+{self.SHIFT}", "127.0.0.1", LOAD_PORT)

    def _shifted(self, ports):
        return "-".join(str(int(port) + self.SHIFT) for port in ports.split("-"))

    def _start(self, name, namespace, listens, onward, address, port):
        config = layout.RUN / f"{name}.cfg"
        config.write_text(f"""global
  maxconn 8000
defaults
  mode tcp
  maxconn 8000
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen relay
  bind {",".join(listens)}
  server onward {onward}
""")
        self.lab.processes.start(name, namespace, ["haproxy", "-db", "-f", config])
        self.lab.processes.wait_ready(name, lambda: _listens(namespace, address, port), 10, "not listening")

    def ends(self):
        return [self.lab.processes.pid("relay-laptop")], [self.lab.processes.pid("relay-cluster")]


class WireGuardGo(Contender):
    """The tunnel nearest to ours in kind: encrypted, in user space, on a TUN device at each end."""

    key, title, host = "W", "wireguard-go", layout.PODS[0][0]
    FOLDER = layout.ROOT / ".cache/wireguard-go"
    # The programs' sockets lie in one folder by the device's name, so the names differ.
    SIDES = {layout.CLUSTER: ("cwwg-cluster", "10.99.0.1"), LAPTOP: ("cwwg-laptop", "10.99.0.2")}
    NETWORK = "10.99.0.0/24"
    sources = [f"10.99.0.{100 + i}" for i in range(SOURCES)]
    PORT = 51820

    def missing(self):
        if not (self.FOLDER / "version").exists():
            return "the backports have no wireguard-go here"
        return None if shutil.which("wg") else "wireguard-tools is not installed"

    def version(self):
        return {"wireguard-go": (self.FOLDER / "version").read_text().strip()}

    def start(self):
        keys = {side: run("wg", "genkey").stdout.strip() for side in self.SIDES}
        public = {side: run("wg", "pubkey", input=key + "\n").stdout.strip() for side, key in keys.items()}
        for side, other in ((layout.CLUSTER, LAPTOP), (LAPTOP, layout.CLUSTER)):
            self._device(side, keys[side])
            peer = ["peer", public[other]]
            if side == LAPTOP:
                peer += ["allowed-ips", f"{self.host}/32,{self.SIDES[other][1]}/32", "endpoint",
                         f"{layout.GATEWAY_ADDRESS[0]}:{self.PORT}"]
            else:
                peer += ["allowed-ips", ",".join(f"{address}/32" for address in (self.SIDES[other][1], *self.sources))]
            in_namespace(side, "wg", "set", self.SIDES[side][0], *peer, part=self.title)
        _add_addresses(self.SIDES[LAPTOP][0], self.sources)
        # More specific than the route of our own device, so that both can be up at once.
        run("ip", "-n", LAPTOP, "route", "add", f"{self.host}/32", "dev", self.SIDES[LAPTOP][0], *network.congestion(), part=self.title)
        in_namespace(LAPTOP, "ping", "-c", 1, "-W", 5, self.host, part=self.title)

    def _device(self, side, key):
        device, address = self.SIDES[side]
        self.lab.processes.start(device, side, [self.FOLDER / "usr/bin/wireguard-go", "-f", device], {"LOG_LEVEL": "error"})
        exists = lambda: run("wg", "show", device, check=False).returncode == 0 or os.path.exists(f"/run/wireguard/{device}.sock")
        self.lab.processes.wait_ready(device, exists, 10, "no device")
        in_namespace(side, "wg", "set", device, "listen-port", self.PORT, "private-key", "/dev/stdin", input=key + "\n",
                     part=self.title)
        run("ip", "-n", side, "address", "add", f"{address}/24", "dev", device, "noprefixroute", part=self.title)
        run("ip", "-n", side, "link", "set", device, "up", part=self.title)
        run("ip", "-n", side, "route", "add", self.NETWORK, "dev", device, "src", address, *network.congestion(), part=self.title)

    def ends(self):
        return [self.lab.processes.pid(self.SIDES[LAPTOP][0])], [self.lab.processes.pid(self.SIDES[layout.CLUSTER][0])]


class Ours(Contender):
    key, title, host = "C", "causeway", layout.SERVICES["orders.infra"][0]
    DEVICE = f"cw-{tunnel.DEMO}"
    sources = [f"198.19.1.{100 + i}" for i in range(SOURCES)]
    idle_flows = (1000, 15000)

    def start(self):
        self.lab.laptop(1).up()
        self.dress()

    def dress(self):
        """What the others have as well and a device that was made anew has lost: more addresses, and its apps' congestion control."""
        _add_addresses(self.DEVICE, self.sources)
        run("ip", "-n", LAPTOP, "route", "add", f"{self.host}/32", "dev", self.DEVICE, *network.congestion(), part=self.title)

    def begin_anew(self):
        self.lab.laptop(1).tunctl("down")
        self.start()

    def ends(self):
        return machine.family(self.lab.laptop(1).pid()), machine.family(self.lab.processes.pid("gateway"))


def _add_addresses(device, addresses):
    for address in addresses:
        run("ip", "-n", LAPTOP, "address", "add", f"{address}/32", "dev", device, part="bench")


ALL = (Direct, Relays, WireGuardGo, Ours)
THROUGH_WAN = (Direct, WireGuardGo, Ours)


def start_all(lab, kinds=ALL):
    """([contenders that run], {title: why it does not})."""
    for namespace in (layout.CLUSTER, LAPTOP):
        # What one measure found out about the path is not told to the next.
        in_namespace(namespace, "sysctl", "-q", "-w", "net.ipv4.ip_local_port_range=20000 65000", "net.ipv4.tcp_no_metrics_save=1",
                     part="bench")
    lab.processes.start("cw-load", layout.CLUSTER, [layout.BUILD / "bench/load/cw-load", "serve", LOAD_PORT])
    lab.processes.wait_ready("cw-load", lambda: _listens(layout.CLUSTER, "*", LOAD_PORT), 10, "not listening")
    running, left_out = [], {}
    for kind in kinds:
        contender = kind(lab)
        reason = contender.missing()
        try:
            if not reason:
                contender.start()
                if not wait_until(lambda: _reached(contender), 5):
                    reason = f"its way to {contender.host} does not answer"
        except LabError as error:
            reason = str(error)
        if reason:
            left_out[contender.title] = reason
        else:
            running.append(contender)
    return running, left_out


def _reached(contender):
    try:
        sock = netns.connect_in(LAPTOP, contender.host, LOAD_PORT, timeout=2)
        with sock:
            sock.sendall(b"x")
            return sock.recv(1) == b"x"
    except OSError:
        return False
