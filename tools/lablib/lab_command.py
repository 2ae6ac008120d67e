"""A cluster, a home network and laptops on this machine, joined by Causeway.

  tools/lab up [--clients N]                       make it, and leave the tunnel up; building first where needed
  tools/lab exec laptop|cluster|home [-n I] -- COMMAND…    run something inside; its exit code is ours
  tools/lab status                                 what runs; exit code 1 when it is down
  tools/lab env                                    DIRECT4=…, DIRECT6=…: the services' host reached outside the tunnel
  tools/lab down                                   take everything away again

up --direct makes the networks and services only, without gateway and tunnel.
"""

import argparse
import os
import signal
import sys

from . import lab, layout, netns
from .shell import LabError


def arguments():
    parser = argparse.ArgumentParser(prog="tools/lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="up|exec|status|env|down", help=argparse.SUPPRESS)
    up = verbs.add_parser("up")
    up.add_argument("--clients", type=int, default=1)
    up.add_argument("--direct", action="store_true")
    execute = verbs.add_parser("exec")
    execute.add_argument("where", choices=("laptop", "cluster", "home"))
    execute.add_argument("-n", type=int, default=1, dest="number")
    execute.add_argument("command", nargs="+")
    for verb in ("status", "env", "down"):
        verbs.add_parser(verb)
    return parser.parse_args()


def execute(where, number, command):
    world = lab.Lab()
    namespace = {"cluster": layout.CLUSTER, "home": layout.HOME}.get(where) or layout.laptop(number)
    if not netns.exists(namespace):
        print(f"lab: there is no {namespace}: `tools/lab up` makes it", file=sys.stderr)
        return 125
    environment = world.laptop(number).environment() if where == "laptop" else os.environ
    sys.stdout.flush()
    os.execvpe("ip", ["ip", "netns", "exec", namespace, *command], environment)


def interrupted(number, _frame):
    raise SystemExit(128 + number)


def main():
    options = arguments()
    if os.geteuid() != 0:
        print("lab: must be root: it makes network namespaces", file=sys.stderr)
        return 126
    if options.verb == "exec":
        return execute(options.where, options.number, options.command)
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    if options.verb == "up":
        if not 1 <= options.clients <= layout.MAX_CLIENTS:
            print(f"lab: --clients takes 1 to {layout.MAX_CLIENTS}", file=sys.stderr)
            return 2
        return lab.bring_up(options.clients, options.direct)
    if options.verb == "down":
        return lab.bring_down()
    if options.verb == "status":
        return lab.Lab().status()
    world = lab.Lab()
    if not world.clients:
        print("lab: is down", file=sys.stderr)
        return 1
    print(world.environment(), end="")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(lab.fail(error))
    except KeyboardInterrupt:
        sys.exit(130)
