"""Names, addresses and files of the lab: everything that another module would otherwise have to repeat."""

import os
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("CAUSEWAY_BUILD") or ROOT / "build").resolve()
# Several labs can be up on one machine, each with a word of its own in this variable.
MARK = os.environ.get("CAUSEWAY_LAB", "")
if not re.fullmatch("[a-z0-9]{0,8}", MARK):
    raise SystemExit("lab: CAUSEWAY_LAB is a word of up to 8 of a-z and 0-9")
_NAMED = f"-{MARK}" if MARK else ""
RUN = Path(f"/run/causeway-lab{_NAMED}")
LOGS = RUN / "logs"
NETNS_ETC = Path("/etc/netns")

TUNCTL = BUILD / "tools/tunctl/tunctl"
TUND = BUILD / "tools/tund/tund"
GATEWAY = BUILD / "tools/gateway/tun-gateway"
WAN_RELAY = BUILD / "tools/wan/cw-wan"

CLUSTER = f"cw{_NAMED}-cluster"
HOME = f"cw{_NAMED}-home"
WAN = f"cw{_NAMED}-wan"
NAMESPACE = re.compile(rf"cw{_NAMED}-(cluster|home|wan|laptop[1-9][0-9]*)")
MAX_CLIENTS = 200

# What a cluster routes: services and pods. Reached from a laptop only through the tunnel.
ROUTES = ("10.96.0.0/16", "fd00:96::/112", "10.244.0.0/16", "fd00:244::/112")

# Service: IPv4 and IPv6 address. The last four answer nothing, and say so each in its own way.
SERVICES = {
    "kube-dns.kube-system": ("10.96.0.53", "fd00:96::53"),
    "orders.shop": ("10.96.0.10", "fd00:96::10"),
    "orders-v1.shop": ("10.96.0.11", "fd00:96::11"),
    "prices.shop": ("10.96.0.12", "fd00:96::12"),
    "ledger.shop": ("10.96.0.13", "fd00:96::13"),
    "cache.shop": ("10.96.0.20", "fd00:96::20"),
    "db.shop": ("10.96.0.30", "fd00:96::30"),
    "echo.shop": ("10.96.0.40", "fd00:96::40"),
    "bulk.shop": ("10.96.0.50", "fd00:96::50"),
    "orders.infra": ("10.96.1.10", "fd00:96::1:10"),
    "drop.shop": ("10.96.0.60", "fd00:96::60"),
    "unreachable.shop": ("10.96.0.70", "fd00:96::70"),
    "noroute.shop": ("10.96.0.80", "fd00:96::80"),
    "forbidden.shop": ("10.96.0.90", "fd00:96::90"),
}
# Those at which the gateway itself listens, as they can be intercepted.
BY_GATEWAY = ("orders.shop", "prices.shop", "ledger.shop")
WITHOUT_HOST = ("unreachable.shop", "noroute.shop")
PODS = [(f"10.244.1.{n}", f"fd00:244::{n}") for n in (11, 12, 13)]

# The gateway, and the same services outside the tunnel: the veth leads there.
GATEWAY_ADDRESS = ("10.77.0.1", "fd77::1")
GATEWAY_PORT = 7700
DIRECT = ("10.77.0.2", "fd77::2")
DIRECT_DROP = ("10.77.0.60", "fd77::60")
DIRECT_UNREACHABLE = ("10.77.0.70", "fd77::70")
DIRECT_NOROUTE = ("10.79.0.80", "fd79::80")

HOME_DNS = ("10.78.0.1", "fd78::1")
HOME_WEB = ("10.78.0.80", "fd78::80")
HOME_NAME = "www.example.test"

HTTP_PORT = 80
CLOSED_PORT = 81
REDIS_PORT = 6379
POSTGRES_PORT = 5432
ECHO_PORT = 7
PROBE_PORT = 7000
LEDGER_PORT = 7070  # the probe service by way of the gateway: it has its own port at all addresses
IPERF_PORTS = (5201, 5202, 5203, 5204)

# No such user exists: nothing else on the machine belongs to the gateway.
GATEWAY_UID = 64123
GRACE = 2  # seconds that the gateway leaves to requests whose laptop stopped answering: less than is usual, for the tests' sake


def laptop(number):
    return f"cw{_NAMED}-laptop{number}"


def uplink4(number, side):
    """Address on the veth between laptop `number` and the cluster; side 1 is the cluster's, 2 the laptop's."""
    return f"10.77.{number}.{side}"


def uplink6(number, side):
    return f"fd77:0:0:{number:x}::{side}"


def home4(number):
    """Address of laptop `number` at home."""
    return f"10.78.1.{number}"


def wan_device(number, side):
    """The relay's device towards laptop `number` ("near") or, for it, towards the cluster ("far")."""
    return f"{side}{number}"


def laptop_dir(number):
    return RUN / f"laptop{number}"


def control_socket(number):
    return laptop_dir(number) / "control.sock"


def journal_dir(number):
    return laptop_dir(number) / "state"


def profiles_dir(number):
    return laptop_dir(number) / "profiles"


def gateway_dir():
    return RUN / "gateway"


def gateway_control_socket():
    return gateway_dir() / "control.sock"
