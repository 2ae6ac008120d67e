"""What the two DNS servers of the lab serve: Kubernetes-like zones in the cluster, the rest of the world at home."""

import ipaddress

from . import layout

HEAD = """$TTL 5
@ SOA ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 5
@ NS ns.dns.cluster.local.
"""

# Named ports of services, as Kubernetes publishes them: _PORT._PROTOCOL.SERVICE.
PORTS = {
    "orders.shop": [("http", "tcp", layout.HTTP_PORT)],
    "orders-v1.shop": [("http", "tcp", layout.HTTP_PORT)],
    "prices.shop": [("http", "tcp", layout.HTTP_PORT)],
    "ledger.shop": [("ledger", "tcp", layout.LEDGER_PORT)],
    "cache.shop": [("redis", "tcp", layout.REDIS_PORT)],
    "db.shop": [("postgresql", "tcp", layout.POSTGRES_PORT)],
    "echo.shop": [("echo", "udp", layout.ECHO_PORT), ("probe", "tcp", layout.PROBE_PORT)],
    "bulk.shop": [(f"iperf{port}", "tcp", port) for port in layout.IPERF_PORTS],
    "kube-dns.kube-system": [("dns", "udp", 53), ("dns-tcp", "tcp", 53)],
}
LARGE_TEXT = ["".join(chr(ord("a") + (row + column) % 26) for column in range(200)) for row in range(20)]
MANY_ADDRESSES = [f"10.96.2.{number}" for number in range(1, 101)]


def cluster_local():
    lines = [HEAD, 'dns-version TXT "1.1.0"', "ns.dns A 10.96.0.53", "ns.dns AAAA fd00:96::53",
             "kubernetes.default.svc A 10.96.0.1"]
    for service, (four, six) in layout.SERVICES.items():
        lines += [f"{service}.svc A {four}", f"{service}.svc AAAA {six}"]
        for name, protocol, port in PORTS.get(service, []):
            lines.append(f"_{name}._{protocol}.{service}.svc SRV 0 100 {port} {service}.svc")
    for number, (four, six) in enumerate(layout.PODS):
        lines += [f"peers.shop.svc A {four}", f"peers.shop.svc AAAA {six}", f"peers-{number}.peers.shop.svc A {four}",
                  f"peers-{number}.peers.shop.svc AAAA {six}",
                  f"_http._tcp.peers.shop.svc SRV 0 33 80 peers-{number}.peers.shop.svc",
                  f"{four.replace('.', '-')}.shop.pod A {four}"]
    lines += ["alias.infra.svc CNAME orders.shop.svc", "chain.infra.svc CNAME alias.infra.svc",
              "partner.shop.svc CNAME api.partner.test.", f"far.shop.svc CNAME {layout.HOME_NAME}.",
              "unknown.infra.svc TYPE65280 \\# 4 0a000001"]
    # What no cluster may give: loopback, and an address of laptop 1.
    lines += ["loop.infra.svc A 127.0.0.1", "loop.infra.svc AAAA ::1", f"laptop.infra.svc A {layout.home4(1)}",
              f"mixed.infra.svc A 127.0.0.1", f"mixed.infra.svc A {layout.SERVICES['orders.infra'][0]}"]
    lines.append("large.infra.svc TXT " + " ".join(f'"{text}"' for text in LARGE_TEXT))
    lines += [f"many.infra.svc A {address}" for address in MANY_ADDRESSES]
    return "\n".join(lines) + "\n"


def partner_test():
    return HEAD + f"api A {layout.SERVICES['orders.shop'][0]}\napi AAAA {layout.SERVICES['orders.shop'][1]}\n"


def example_test():
    """The cluster's word for a name of the world: it differs from what the world says."""
    return HEAD + f"www A {layout.SERVICES['orders.infra'][0]}\n"


def reverse(network):
    """The PTR records of one network, with the zone's name."""
    network = ipaddress.ip_network(network)
    bits_a_label = 8 if network.version == 4 else 4
    labels = network.network_address.reverse_pointer.split(".")
    zone = ".".join(labels[(network.max_prefixlen - network.prefixlen) // bits_a_label:])
    lines = [HEAD]
    names = [(address, f"{service}.svc") for service, pair in layout.SERVICES.items() for address in pair]
    names += [(address, f"peers-{number}.peers.shop.svc") for number, pair in enumerate(layout.PODS) for address in pair]
    for text, name in names:
        address = ipaddress.ip_address(text)
        if address.version == network.version and address in network:
            lines.append(f"{address.reverse_pointer}. PTR {name}.cluster.local.")
    return zone, "\n".join(lines) + "\n"


def cluster_zones():
    # The empty root stands for the cluster's upstream: what is neither of these names does not exist.
    zones = {"cluster.local": cluster_local(), "partner.test": partner_test(), "example.test": example_test(), ".": HEAD}
    for network in layout.ROUTES:
        zone, text = reverse(network)
        zones[zone] = text
    return zones


def home_zones():
    """A root of our own: names that are not here do not exist, at once."""
    four, six = layout.HOME_WEB
    return {".": f"""$TTL 60
. SOA ns.home. hostmaster.home. 1 7200 1800 86400 60
. NS ns.home.
ns.home. A {layout.HOME_DNS[0]}
{layout.HOME_NAME}. A {four}
{layout.HOME_NAME}. AAAA {six}
_http._tcp.{layout.HOME_NAME}. SRV 0 1 80 {layout.HOME_NAME}.
github.com. A 192.0.2.80
api.partner.test. A 192.0.2.81
"""}
