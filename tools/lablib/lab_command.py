"""A cluster, a home network and laptops on this machine, joined by Causeway.

  tools/lab up [--clients N]                       make it, and leave the tunnel up; building first where needed
  tools/lab exec laptop|cluster|home [-n I] -- COMMAND…    run something inside; its exit code is ours
  tools/lab up … --delay MS --jitter MS --loss PERCENT --rate MBIT [--seed N]
                                                   with a wide-area path before each laptop
  tools/lab wan set [--delay MS] … | cut | heal | show | measure    [-n I]
                                                   change that path while it is in use
  tools/lab status                                 what runs; exit code 1 when it is down
  tools/lab env                                    DIRECT4=…, DIRECT6=…: the services' host reached outside the tunnel
  tools/lab down                                   take everything away again

CAUSEWAY_LAB=WORD in the environment names a lab of its own: several can be up on one machine.
up --direct makes the networks and services only, without gateway and tunnel.

Delay, jitter, loss and rate hold for each direction: a round trip takes twice the delay. Before a link with a rate stands a queue of one
round trip's bytes that drops what finds it full. The way to the gateway and DIRECT4, DIRECT6 lead through the path; the home network does
not. `wan set` keeps what it does not name, and does it to all laptops unless -n names one; `wan measure` prints what the relay costs.
"""

import argparse
import os
import signal
import sys

from . import lab, layout, netns, wan, wan_measure
from .shell import LabError


def arguments():
    parser = argparse.ArgumentParser(prog="tools/lab", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="up|exec|wan|status|env|down", help=argparse.SUPPRESS)
    up = verbs.add_parser("up")
    up.add_argument("--clients", type=int, default=1)
    up.add_argument("--direct", action="store_true")
    _path_options(up)
    up.add_argument("--seed", type=int)
    path = verbs.add_parser("wan").add_subparsers(dest="action", required=True)
    for action in ("set", "cut", "heal", "show", "measure"):
        one = path.add_parser(action)
        one.add_argument("-n", type=int, dest="number")
        if action == "set":
            _path_options(one)
    execute = verbs.add_parser("exec")
    execute.add_argument("where", choices=("laptop", "cluster", "home"))
    execute.add_argument("-n", type=int, default=1, dest="number")
    execute.add_argument("command", nargs="+")
    for verb in ("status", "env", "down"):
        verbs.add_parser(verb)
    return parser.parse_args()


def _path_options(parser):
    for name in wan.NONE:
        parser.add_argument(f"--{name}", type=float)


def path_of(options):
    """What was said of a wide-area path: {} when nothing was."""
    return {name: getattr(options, name) for name in (*wan.NONE, "seed") if getattr(options, name, None) is not None}


def change_path(options):
    world = lab.Lab()
    numbers = range(1, world.clients + 1) if options.number is None else (options.number,)
    if not world.has_wan or not world.clients >= max(numbers) >= 1:
        print("lab: there is no such wide-area path: `tools/lab up --delay MS` makes one", file=sys.stderr)
        return 1
    if options.action == "measure":
        wan_measure.measure(world.laptop(numbers[0]), world.wan(numbers[0]))
        return 0
    for number in numbers:
        path = world.wan(number)
        shown = path.set(**path_of(options)) if options.action == "set" else getattr(path, options.action)()
        print(f"laptop {number}: {wan.describe(shown)}")
        if options.action == "show":
            for way in ("up", "down"):
                print(f"  {way:<5}" + ", ".join(f"{name.removeprefix(way + '_')} {value:.0f}"
                                                for name, value in shown.items() if name.startswith(way + "_")))
    return 0


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
        return lab.bring_up(options.clients, options.direct, path=path_of(options) or None)
    if options.verb == "wan":
        return change_path(options)
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
