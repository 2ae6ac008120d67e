"""The real services of the cluster, and the two DNS servers."""

import glob
import os
import shutil
import socket
import sys

from . import layout, netns, zones
from .layout import CLUSTER, DIRECT, HOME, LOGS, RUN, SERVICES
from .shell import LabError, run


def _folder(name, user=None):
    folder = RUN / name
    folder.mkdir(parents=True, exist_ok=True)
    if user:
        try:
            shutil.chown(folder, user, user)
        except LookupError:
            raise LabError(name, f"there is no user {user} (tools/setup installs the package that makes it)") from None
    return folder


def _listens(namespace, address, port):
    """Whether something accepts there. Asked of the kernel, so that the service sees no connection."""
    host = f"[{address}]" if ":" in address else address
    found = run("ip", "netns", "exec", namespace, "ss", "-Hltn", "src", f"{host}:{port}").stdout
    return bool(found.strip())


def _start(processes, name, namespace, command, listens, seconds=15, environment=None):
    processes.start(name, namespace, command, environment)
    return lambda: processes.wait_ready(name, lambda: all(_listens(namespace, *entry) for entry in listens), seconds,
                                        "not listening")


def _named(processes, name, namespace, addresses, served):
    folder = _folder(name, "bind")
    queries = folder / "queries.log"
    four = " ".join(f"{address};" for address in addresses if ":" not in address)
    six = " ".join(f"{address};" for address in addresses if ":" in address)
    config = [f"""options {{
  directory "{folder}"; pid-file none; session-keyfile none; lock-file none; managed-keys-directory "{folder}";
  listen-on port 53 {{ {four} }}; listen-on-v6 port 53 {{ {six} }};
  recursion yes; allow-recursion {{ any; }}; dnssec-validation no; minimal-responses yes;
  querylog yes; empty-zones-enable no; notify no; allow-transfer {{ none; }};
}};
controls {{ }};
logging {{
  channel queries {{ file "{queries}" size 20m; print-time iso8601; }};
  category queries {{ queries; }};
  category query-errors {{ null; }};
}};
"""]
    for number, (zone, text) in enumerate(served.items()):
        file = folder / f"zone{number}"
        file.write_text(text)
        config.append(f'zone "{zone}" {{ type primary; file "{file}"; }};\n')
    (folder / "named.conf").write_text("".join(config))
    command = ["named", "-g", "-u", "bind", "-n", "1", "-c", folder / "named.conf"]
    if shutil.which("aa-exec"):
        command = ["aa-exec", "-p", "unconfined", "--"] + command  # its profile knows the system's folders only
    return _start(processes, name, namespace, command, [(address, 53) for address in addresses])


def queries_log(name):
    return RUN / name / "queries.log"


def _nginx(processes, name, namespace, endpoints, text):
    folder = _folder(name)
    listen = "".join(f"    listen {f'[{address}]' if ':' in address else address}:{port};\n" for address, port in endpoints)
    (folder / "nginx.conf").write_text(f"""
daemon off;
user www-data;
worker_processes 2;
pid {folder}/pid;
error_log stderr;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 10000000;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  default_type text/plain;
  server {{
{listen}
    location / {{ return 200 "{text}\\n"; }}
    location = /client {{ return 200 "$http_x_forwarded_for|$http_forwarded\\n"; }}
  }}
}}
""")
    return _start(processes, name, namespace, ["nginx", "-e", "stderr", "-p", folder, "-c", folder / "nginx.conf"],
                  endpoints)


def _redis(processes):
    folder = _folder("redis", "redis")
    addresses = [*SERVICES["cache.shop"], *DIRECT]
    command = ["setpriv", "--reuid", "redis", "--regid", "redis", "--clear-groups", "redis-server", "--bind", *addresses,
               "--port", layout.REDIS_PORT, "--protected-mode", "no", "--save", "", "--appendonly", "no", "--dir", folder]
    return _start(processes, "redis", CLUSTER, command, [(address, layout.REDIS_PORT) for address in addresses])


def _postgres_program(name):
    found = sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), key=lambda path: int(path.split("/")[4]))
    if not found:
        raise LabError("postgres", "PostgreSQL is not installed (tools/setup installs it)")
    return found[-1]


def _postgres(processes):
    folder = _folder("postgres", "postgres")
    data = folder / "data"
    as_postgres = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
    run(*as_postgres, _postgres_program("initdb"), "-D", data, "-A", "trust", "-U", "postgres", "-N", "--locale=C",
        "-E", "UTF8", part="postgres", cwd="/")
    with open(data / "pg_hba.conf", "a") as file:
        file.write("host all all 0.0.0.0/0 trust\nhost all all ::/0 trust\n")
    addresses = [*SERVICES["db.shop"], *DIRECT]
    settings = {"listen_addresses": ",".join(addresses), "port": layout.POSTGRES_PORT, "unix_socket_directories": "",
                "fsync": "off", "shared_buffers": "16MB", "max_connections": 40, "autovacuum": "off",
                "logging_collector": "off"}
    options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
    return _start(processes, "postgres", CLUSTER, [*as_postgres, _postgres_program("postgres"), "-D", data, *options],
                  [(address, layout.POSTGRES_PORT) for address in addresses], seconds=30, environment={"LC_ALL": "C"})


def _iperf(processes, port):
    return _start(processes, f"iperf3-{port}", CLUSTER, ["iperf3", "-s", "-p", port, "--forceflush"], [("::", port)])


def _probe(processes):
    addresses = [*SERVICES["echo.shop"], *DIRECT, *(address for pod in layout.PODS for address in pod)]
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "probe_service.py")
    return _start(processes, "probe", CLUSTER,
                  [sys.executable, script, layout.PROBE_PORT, layout.ECHO_PORT, *addresses], [("::", layout.PROBE_PORT)])


def start_all(processes, direct):
    """Starts everything side by side, then waits for each. A LabError names the one that failed. `direct`: no gateway stands before
    any service."""
    LOGS.mkdir(parents=True, exist_ok=True)
    names = ("orders-v1.shop", "orders.infra", *(("orders.shop", "prices.shop") if direct else ()))
    orders = [*(address for name in names for address in SERVICES[name]), *DIRECT, *(one for pod in layout.PODS for one in pod)]
    waits = [
        _named(processes, "dns-cluster", CLUSTER, SERVICES["kube-dns.kube-system"], zones.cluster_zones()),
        _named(processes, "dns-home", HOME, layout.HOME_DNS, zones.home_zones()),
        _nginx(processes, "nginx-orders", CLUSTER, [(address, layout.HTTP_PORT) for address in orders],
               "orders: nginx in the cluster, asked at $server_addr"),
        _nginx(processes, "nginx-home", HOME, [(address, 80) for address in layout.HOME_WEB],
               "www: nginx at home, outside the tunnel"),
        _redis(processes),
        _probe(processes),
        *(_iperf(processes, port) for port in layout.IPERF_PORTS),
        _postgres(processes),
    ]
    for wait in waits:
        wait()


def answers(namespace, address, port):
    try:
        netns.connect_in(namespace, address, port, timeout=1).close()
        return True
    except (OSError, socket.timeout):
        return False
