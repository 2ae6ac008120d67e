"""The tunnel beside other ways into the same namespaces, in one run on one machine: direct (D), two plain haproxy relays in a row (P),
wireguard-go from Debian's backports (W), and ours (C). Congestion control is cubic for all.

  tools/bench                   five rounds; about 30 minutes
  tools/bench --quick           one short round, to see that it works
  tools/bench --only NAME       what has NAME in its name alone: bulk, rr, connect, http, udp, memory, up; may be repeated
  tools/bench --json FILE       the figures of every round
  tools/bench --svg FILE        a chart
  --rounds N --seconds S --warm-up S --minutes N    how long; after --minutes no more is begun

In a round each measure asks one contender after the other. A measure in which others used more than a tenth of the machine is thrown away
and repeated. Machines differ and are shared: the ratios are to be looked at. The micro-benchmarks of the packet path are build/bench/bench_micro.
"""

import argparse
import datetime
import json
import os
import platform
import sys
import time

from . import build, lab
from .bench import chart, contenders, goals, measures, report, standing
from .bench.rounds import Rounds
from .shell import LabError


def say(text):
    print(text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", metavar="NAME", action="append", default=[])
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--svg", metavar="FILE")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--warm-up", type=int)
    parser.add_argument("--minutes", type=float, default=50)
    options = parser.parse_args()
    for name, quick, full in (("rounds", 1, 5), ("seconds", 1, 3), ("warm_up", 1, 2)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    return options


def about(running, left_out):
    told = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "kernel": platform.release(),
            "cores": os.cpu_count(), "congestion control": "cubic", **measures.versions(running)}
    return {**told, "left out": left_out} if left_out else told


def measure(options, started):
    """Everything that needs the lab: (about, rounds, standing, contenders)."""
    wanted = lambda name: not options.only or any(word in name for word in options.only)
    running, left_out = contenders.start_all(lab.Lab())
    for title, reason in left_out.items():
        say(f"left out: {title}: {reason}")
    told = about(running, left_out)
    asked = measures.Measures(options.seconds, options.warm_up)
    found = standing.measure_all(running, asked, options.quick, wanted, say)
    rounds = Rounds(running, say)
    rounds.run([(name, function) for name, function in asked.all() if wanted(name)], options.rounds, started + options.minutes * 60)
    told["measured"] = (f"{options.rounds} rounds asked for, {options.seconds} s after {options.warm_up} s of warm-up; {rounds.kept} measures kept, "
                        f"{rounds.kept_busy} of them disturbed; {rounds.thrown_away} thrown away because others used the machine")
    return told, rounds, found, running


def show(options, told, rounds, found, running):
    reached = [goal for goal in goals.all_goals(rounds.figures, found) if goal.reached is not None or not options.only]
    lines = [f"{key}: {value}" for key, value in told.items()]
    say("\n" + "\n".join(lines))
    if rounds.figures:
        say("\n" + report.figure_table(rounds.figures, running))
    titles = {contender.key: contender.title for contender in running}
    say("\n" + "\n".join([*[f"{key}: {title}" for key, title in titles.items()], report.standing_table(found, titles)]))
    say("\n" + report.goal_table(reached))
    for failure in rounds.failures:
        say(f"failed: {failure}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report.as_json(told, rounds, found, reached), file, indent=1)
    if options.svg:
        words = [f"{key} {value}" for key, value in told.items() if key not in ("measured", "left out")]
        notes = [", ".join(words[:5]), ", ".join(words[5:]), told["measured"]]
        with open(options.svg, "w") as file:
            file.write(chart.Chart(rounds.figures, running, notes).svg())


def main():
    options = arguments()
    if os.geteuid() != 0:
        print("bench: must be root: it makes network namespaces", file=sys.stderr)
        return 126
    started = time.monotonic()
    build.build([*build.programs(), "bench/load/cw-load"])
    if lab.bring_up(1, with_build=False) != 0:
        return 1
    try:
        results = measure(options, started)
    finally:
        lab.bring_down()
    show(options, *results)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(lab.fail(error))
    except KeyboardInterrupt:
        sys.exit(130)
