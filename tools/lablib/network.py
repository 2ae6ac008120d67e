"""The namespaces and the wires between them.

    cw-laptopN  eth0 ---- cw-cluster   uplink: the gateway, and the services' own host for comparisons (DIRECT4, DIRECT6)
    cw-laptopN  eth0 ---- cw-wan ---- cw-cluster   the same with a wide-area path: a relay joins the two wires
    cw-laptopN  lan0 ---- cw-home      the home network: its DNS server and a web server

Services live on the loopback of cw-cluster. A packet for them that comes by a laptop's uplink is dropped: the tunnel is the only way.
"""

import json

from . import layout, netns
from .shell import LabError, in_namespace, run, wait_until

PART = "network"


congestion_control = "cubic"  # of what is made from now on


def has_congestion_control(name):
    with open("/proc/sys/net/ipv4/tcp_available_congestion_control") as file:
        return name in file.read().split()


def congestion():
    """Words for `ip route` that select it, where the kernel has it: a namespace's own default may be something else."""
    return ["congctl", congestion_control] if has_congestion_control(congestion_control) else []


def _ip(namespace, *words):
    run("ip", "-n", namespace, *words, part=PART)


def _sysctl(namespace, **values):
    settings = [f"{key.replace('__', '.')}={value}" for key, value in values.items()]
    in_namespace(namespace, "sysctl", "-q", "-w", *settings, part=PART)


def _make(namespace):
    run("ip", "netns", "add", namespace, part=PART)
    _ip(namespace, "link", "set", "lo", "up")


def _local_address(namespace, address):
    """An address on the loopback, whose connections use the same congestion control."""
    bits = "128" if ":" in address else "32"
    _ip(namespace, "address", "add", f"{address}/{bits}", "dev", "lo", *(["nodad"] if bits == "128" else []))
    if congestion() and bits == "32":
        _ip(namespace, "route", "change", "local", address, "dev", "lo", "table", "local", *congestion())
    elif congestion():  # the kernel's own entry has a metric that cannot be asked for; it comes a moment after the address
        entry = ("local", address, "dev", "lo", "table", "local")
        wait_until(lambda: run("ip", "-n", namespace, "-6", "route", "delete", *entry, check=False).returncode == 0, 2)
        _ip(namespace, "-6", "route", "add", "local", address, "dev", "lo", "table", "local", *congestion())


def make_cluster():
    cluster = layout.CLUSTER
    _make(cluster)
    _sysctl(cluster, net__ipv4__ip_forward=1, net__ipv6__conf__all__forwarding=1, net__ipv4__icmp_ratelimit=0,
            net__ipv6__icmp__ratelimit=0, net__ipv4__ping_group_range=f"{layout.GATEWAY_UID} {layout.GATEWAY_UID}",
            net__ipv4__ip_unprivileged_port_start=layout.HTTP_PORT)  # where the gateway listens for services
    addresses = [pair for name, pair in layout.SERVICES.items() if name not in layout.WITHOUT_HOST]
    for pair in addresses + layout.PODS + [layout.GATEWAY_ADDRESS, layout.DIRECT, layout.DIRECT_DROP]:
        for address in pair:
            _local_address(cluster, address)
    for address in (*layout.SERVICES["unreachable.shop"], layout.DIRECT_UNREACHABLE[0]):
        _ip(cluster, "route", "add", "unreachable", address)
    # For others an unreachable route of IPv6 is no route (code 0): the ICMP of an absent host is made below.
    _local_address(cluster, layout.DIRECT_UNREACHABLE[1])
    rules = f"""
table inet lab {{
  chain input {{
    type filter hook input priority 0;
    iifname "laptop*" ip daddr {{ 10.96.0.0/16, 10.244.0.0/16 }} drop
    iifname "laptop*" ip6 daddr {{ fd00:96::/112, fd00:244::/112 }} drop
    ip6 daddr {layout.DIRECT_UNREACHABLE[1]} reject with icmpv6 type addr-unreachable
    ip daddr {{ {layout.SERVICES["drop.shop"][0]}, {layout.DIRECT_DROP[0]} }} drop
    ip6 daddr {{ {layout.SERVICES["drop.shop"][1]}, {layout.DIRECT_DROP[1]} }} drop
  }}
}}
"""
    in_namespace(cluster, "nft", "-f", "-", part=PART, input=rules)
    _resolv_conf(cluster, f"nameserver {layout.SERVICES['kube-dns.kube-system'][0]}\nsearch svc.cluster.local\noptions ndots:5\n")


def make_home():
    home = layout.HOME
    _make(home)
    _ip(home, "link", "add", "lan", "type", "bridge")
    for pair in (layout.HOME_DNS, layout.HOME_WEB):
        _ip(home, "address", "add", f"{pair[0]}/16", "dev", "lan")
        _ip(home, "address", "add", f"{pair[1]}/64", "dev", "lan", "nodad")
    _ip(home, "link", "set", "lan", "up")


def make_wan():
    """A namespace whose kernel stays out of what passes: it has no address, and asks for none."""
    _make(layout.WAN)
    _sysctl(layout.WAN, net__ipv6__conf__all__disable_ipv6=1, net__ipv6__conf__default__disable_ipv6=1)


def make_laptop(number, wan=False):
    """`wan`: its uplink ends in cw-wan, and so does the cluster's; somebody must relay between them."""
    if not 1 <= number <= layout.MAX_CLIENTS:
        raise LabError(PART, f"a lab has 1 to {layout.MAX_CLIENTS} clients")
    name = layout.laptop(number)
    _make(name)
    _sysctl(name, net__ipv6__conf__default__accept_dad=0)
    if wan:
        wire(name, "eth0", layout.WAN, layout.wan_device(number, "near"))
        wire(layout.CLUSTER, f"laptop{number}", layout.WAN, layout.wan_device(number, "far"))
    else:
        wire(name, "eth0", layout.CLUSTER, f"laptop{number}")
    for namespace, device, side in ((layout.CLUSTER, f"laptop{number}", 1), (name, "eth0", 2)):
        _ip(namespace, "address", "add", f"{layout.uplink4(number, side)}/24", "dev", device, "noprefixroute")
        _ip(namespace, "address", "add", f"{layout.uplink6(number, side)}/64", "dev", device, "nodad", "noprefixroute")
        _ip(namespace, "route", "add", f"10.77.{number}.0/24", "dev", device, "src", layout.uplink4(number, side),
            *congestion())
        _ip(namespace, "-6", "route", "add", f"fd77:0:0:{number:x}::/64", "dev", device, *congestion())
    _ip(name, "route", "add", "default", "via", layout.uplink4(number, 1), *congestion())
    _ip(name, "-6", "route", "add", "default", "via", layout.uplink6(number, 1), *congestion())
    wire(name, "lan0", layout.HOME, f"laptop{number}")
    _ip(layout.HOME, "link", "set", f"laptop{number}", "master", "lan")
    _ip(name, "address", "add", f"{layout.home4(number)}/16", "dev", "lan0")
    _ip(name, "address", "add", f"fd78::1:{number:x}/64", "dev", "lan0", "nodad")
    _resolv_conf(name, f"nameserver {layout.HOME_DNS[0]}\n")


def wire(near, near_device, far, far_device):
    """A veth between two namespaces, both ends up."""
    run("ip", "link", "add", near_device, "netns", near, "type", "veth", "peer", "name", far_device, "netns", far,
        part=PART)
    _ip(near, "link", "set", near_device, "up")
    _ip(far, "link", "set", far_device, "up")


def _resolv_conf(namespace, text):
    """`ip netns exec` puts this file over /etc/resolv.conf."""
    folder = layout.NETNS_ETC / namespace
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "resolv.conf").write_text(text)


def resolv_conf(namespace):
    return (layout.NETNS_ETC / namespace / "resolv.conf").read_text()


def namespaces():
    """The lab's namespaces that exist now."""
    found = run("ip", "-json", "netns", "list").stdout
    return [entry["name"] for entry in json.loads(found or "[]") if layout.NAMESPACE.fullmatch(entry["name"])]


def remove(namespace):
    if netns.exists(namespace):
        run("ip", "netns", "delete", namespace, part=PART)
