"""A cluster in a network namespace, a laptop in another, and Causeway between them: builds, shows, cleans up.

  tools/demo           what a user does, and what comes of it
  tools/demo --shell   the same, then a shell on the laptop; leaving it takes everything down
"""

import argparse
import os
import shlex
import shutil
import subprocess
import sys

from . import lab, layout, tunnel
from .services import _listens
from .shell import LabError, wait_until

LOCAL_PORT = 8080


class Demo:
    def __init__(self, laptop):
        self.laptop = laptop
        self.failed = []

    def show(self, comment, command, expect=None, code=0, where="laptop"):
        """Runs a line as somebody on the laptop, or in the cluster, would type it, and holds what it prints against what it should."""
        print(f"\n\033[1m# {comment}\033[0m" if sys.stdout.isatty() else f"\n# {comment}")
        print(f"{where}$ {command}", flush=True)
        words, options = ("sh", "-c", command), {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        if where == "laptop":
            result = self.laptop.exec(*words, capture_output=False, **options)
        else:
            result = subprocess.run(["ip", "netns", "exec", layout.CLUSTER, *words], stdin=subprocess.DEVNULL, text=True, cwd="/", **options)
        print(result.stdout, end="" if result.stdout.endswith("\n") or not result.stdout else "\n", flush=True)
        if result.returncode != code or (expect and expect not in result.stdout):
            self.failed.append(command)
            print(f"demo: UNEXPECTED: exit code {result.returncode} (wanted {code})"
                  + (f", and no '{expect}' in it" if expect and expect not in result.stdout else ""), flush=True)

    def run(self):
        orders = layout.SERVICES["orders.shop"]
        self.show("without the tunnel the cluster is not to be seen", "curl -sS --max-time 2 http://orders.shop/", code=6)
        self.show("one command puts this laptop inside the cluster's network", f"tunctl up {tunnel.DEMO}")
        self.show("a service by its name, answered by nginx in the cluster", "curl -sS http://orders.shop/", "nginx in the cluster")
        self.show("the same over IPv6", "curl -6 -sS http://orders.shop/", "nginx in the cluster")
        self.show("a port where nothing listens is refused, at once", "curl -sv http://orders.shop:81/ 2>&1 | grep refused",
                  "Connection refused")
        self.show("a database session", "psql -h db.shop -U postgres -Atc \"select 'hello from ' || split_part(version(), ' on ', 1)\"",
                  "hello from PostgreSQL")
        self.show("a cache", "redis-cli -h cache.shop set greeting hello && redis-cli -h cache.shop get greeting", "hello")
        self.show("a ping is answered by the real target", f"ping -c 1 {orders[0]}", "1 received")
        self.show("names outside the cluster go where they always went", "curl -sS http://www.example.test/", "outside the tunnel")
        self.intercept()
        self.show("what is going on", "tunctl status", tunnel.DEMO)

    def intercept(self):
        """The other direction."""
        curl, nginx, ours = "curl -sS http://orders.shop/", "nginx in the cluster", "my own process on the laptop"
        program = layout.laptop_dir(self.laptop.number) / "orders.py"
        shutil.copy(os.path.join(os.path.dirname(os.path.abspath(__file__)), "demo_service.py"), program)
        self.show("the other direction: somebody in the cluster asks for orders", curl, nginx, where="cluster")
        self.show("a process on the laptop", f"python3 {program} {LOCAL_PORT} >/dev/null 2>&1 &")
        wait_until(lambda: _listens(self.laptop.namespace, "127.0.0.1", LOCAL_PORT), 10)
        self.show("it shall answer for the service", f"tunctl intercept orders --port {LOCAL_PORT}", "orders is intercepted")
        self.show("and it does", curl, ours, where="cluster")
        self.show("the cluster's own again", "tunctl leave orders", "not intercepted from here any more")
        self.show("nginx answers", curl, nginx, where="cluster")
        self.show("only one's own requests", f"tunctl intercept orders --port {LOCAL_PORT} --http-header x-user=anna", "x-user=anna")
        self.show("these come", "curl -sS -H 'x-user: anna' http://orders.shop/", ours, where="cluster")
        self.show("others do not", curl, nginx, where="cluster")
        self.show("who has what", "tunctl list", "x-user=anna")
        self.show("nginx for all", "tunctl leave orders && tunctl list", "orders, http")

    def shell(self):
        print("\ndemo: a shell on the laptop; try `curl http://orders.shop/`, `tunctl status`. `exit` ends the demo.", flush=True)
        shell = os.environ.get("SHELL", "/bin/bash")
        subprocess.run(["ip", "netns", "exec", self.laptop.namespace, shell], env=self.laptop.environment())

    def leave(self):
        self.show("and out again: everything on the laptop is as it was", f"tunctl down {tunnel.DEMO}")
        self.show("no device, and the resolver's file as it was", "ip -brief link show type tun; cat /etc/resolv.conf",
                  layout.HOME_DNS[0])


def main():
    parser = argparse.ArgumentParser(prog="tools/demo", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("--shell", action="store_true")
    options = parser.parse_args()
    if os.geteuid() != 0:
        print("demo: must be root: it makes network namespaces", file=sys.stderr)
        return 126
    if lab.bring_up(1, connect=False) != 0:
        return 1
    try:
        demo = Demo(lab.Lab().laptop(1))
        demo.run()
        if options.shell:
            demo.shell()
        demo.leave()
    finally:
        lab.bring_down()
    if demo.failed:
        print("demo: FAILED: " + "; ".join(shlex.quote(command) for command in demo.failed))
        return 1
    print("demo: done")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(lab.fail(error))
    except KeyboardInterrupt:
        sys.exit(130)
