"""The tunnel beside other ways into the same namespaces, in one run on one machine: direct (D), two plain haproxy relays in a row (P),
wireguard-go from Debian's backports (W), and ours (C). The same congestion control for all: cubic, or what is asked for.

  tools/bench                   five rounds, three through the wide-area path; within an hour
  tools/bench --quick           one short round, to see that it works
  tools/bench --only NAME       what has NAME in its name alone: bulk, stalled, rr, connect, http, udp, memory, up, or wan, which
                                takes more of its own (--only "wan 80 ms"); may be repeated
  tools/bench intercept         instead: a service that can be intercepted, beside its original and one haproxy, and how soon an intercept
                                is ready; three minutes, takes --quick, --rounds, --seconds, --warm-up, --json
  tools/bench --costs           instead: where our two processes' time goes, by perf (linux-perf has to be installed)
  tools/bench --congestion bbr  with another congestion control on all connections
  tools/bench --json FILE       the figures of every round
  tools/bench --svg FILE        a chart
  --rounds N --seconds S --warm-up S --minutes N    how long; after --minutes no more is begun

In a round each measure asks one contender after the other. A measure in which others used more than a tenth of the machine is thrown away
and repeated. Machines differ and are shared: the ratios are to be looked at. The micro-benchmarks of the packet path are build/bench/bench_micro.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import signal
import sys
import time

from . import build, lab, network
from .bench import chart, contenders, costs, goals, intercepts, measures, report, standing, wan_measures
from .bench.rounds import Rounds
from .bench.versions import versions
from .shell import LabError

WAN = "wan"
WAN_ROUNDS = 3


def say(text):
    print(text, flush=True)


def arguments():
    parser = argparse.ArgumentParser(prog="tools/bench", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("part", nargs="?", choices=("intercept",))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--costs", action="store_true")
    parser.add_argument("--only", metavar="NAME", action="append", default=[])
    parser.add_argument("--congestion", metavar="NAME", default="cubic")
    parser.add_argument("--json", metavar="FILE")
    parser.add_argument("--svg", metavar="FILE")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seconds", type=int)
    parser.add_argument("--warm-up", type=int)
    parser.add_argument("--minutes", type=float, default=56)
    options = parser.parse_args()
    if options.part and (options.only or options.costs or options.svg):
        parser.error(f"{options.part}: --only, --costs and --svg are not for it")
    for name, quick, full in (("rounds", 1, 5), ("seconds", 1, 3), ("warm_up", 1, 2)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else full)
    return options


@contextlib.contextmanager
def uninterrupted():
    """Who is impatient must not leave half of the lab behind."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class Bench:
    """One run: what was asked for, and what has been found so far."""

    def __init__(self, options):
        self.options = options
        self.end = time.monotonic() + options.minutes * 60
        self.rounds = Rounds(say)
        self.standing = {}
        self.contenders = []  # that took part, in their order
        self.left_out = {}
        self.about = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), "kernel": platform.release(),
                      "cores": os.cpu_count(), "congestion control": options.congestion}

    def wanted(self, name):
        return not self.options.only or any(word in name for word in self.options.only if not word.startswith(WAN))

    def wanted_through_wan(self, name):
        return not self.options.only or any(name.startswith(word) for word in self.options.only if word.startswith(WAN))

    def run(self):
        only = self.options.only
        if self.options.part == "intercept":
            self.in_a_lab(self._intercepts, None)
            self.in_a_lab(self._ready_from_afar, intercepts.PATH)
        elif not only or not all(word.startswith(WAN) for word in only):
            self.in_a_lab(self._plain, None)
        if self.options.part is None and (not only or any(word.startswith(WAN) for word in only)):
            self.in_a_lab(self._through_wan, {})
        self.about.update(versions(self.contenders))
        if self.left_out:
            self.about["left out"] = self.left_out
        rounds, options = self.rounds, self.options
        self.about["measured"] = (f"{options.rounds} rounds asked for, {options.seconds} s after {options.warm_up} s of warm-up; "
                                  f"{rounds.kept} measures kept, {rounds.kept_busy} of them disturbed; {rounds.thrown_away} thrown away because others used the machine")

    def in_a_lab(self, part, path):
        """With a wide-area path where there is one. All that it starts ends with the lab."""
        if lab.bring_up(1, with_build=False, path=path) != 0:
            raise LabError("bench", "there is no lab to measure in")
        try:
            part(lab.Lab())
        finally:
            with uninterrupted():
                lab.bring_down()

    def _take(self, world, kinds):
        running, left_out = contenders.start_all(world, kinds)
        for title, reason in left_out.items():
            say(f"left out: {title}: {reason}")
        self.left_out.update(left_out)
        known = [contender.key for contender in self.contenders]
        self.contenders += [contender for contender in running if contender.key not in known]
        return running

    def _plain(self, world):
        options = self.options
        running = self._take(world, contenders.ALL)
        asked = measures.Measures(options.seconds, options.warm_up)
        through_wan = wan_measures.WanMeasures(None, options.seconds, options.warm_up).takes(len(contenders.THROUGH_WAN))
        end = self.end - (0 if options.only else self._wan_rounds() * through_wan)
        self.standing = standing.measure_all(running, asked, options.quick, self.wanted, say)
        self.rounds.run(running, [(name, measure) for name, measure in asked.all() if self.wanted(name)], options.rounds, end)

    def _through_wan(self, world):
        asked = wan_measures.WanMeasures(world.wan(), self.options.seconds, self.options.warm_up)
        wanted = [(name, measure) for name, measure in asked.all() if self.wanted_through_wan(name)]
        self.rounds.run(self._take(world, contenders.THROUGH_WAN), wanted, self._wan_rounds(), self.end)

    def _intercepts(self, world):
        options = self.options
        intercepts.start(world)
        self.contenders = list(intercepts.WAYS)
        self.rounds.run(self.contenders, list(intercepts.Measures(options.seconds, options.warm_up).all()), options.rounds, self.end)
        self._ready(world, "no path between")

    def _ready_from_afar(self, world):
        self._ready(world, f"{2 * intercepts.PATH['delay']} ms there and back")

    def _ready(self, world, where):
        self.standing[where] = intercepts.ready(world, 3 if self.options.quick else intercepts.READY_TIMES)
        say(intercepts.readiness_table({where: self.standing[where]}))

    def goals(self):
        """Those that were asked for."""
        if self.options.part == "intercept":
            return list(intercepts.goals(self.rounds.figures, self.standing))
        reached = goals.all_goals(self.rounds.figures, self.standing)
        return [goal for goal in reached if goal.reached is not None or not self.options.only]

    def standing_table(self, titles):
        if self.options.part == "intercept":
            return intercepts.readiness_table(self.standing)
        return report.standing_table(self.standing, titles)

    def _wan_rounds(self):
        return min(WAN_ROUNDS, self.options.rounds)


def show(bench):
    options, rounds, told = bench.options, bench.rounds, bench.about
    reached = bench.goals()
    say("\n" + "\n".join(f"{key}: {value}" for key, value in told.items()))
    if rounds.figures:
        say("\n" + report.figure_table(rounds.figures, bench.contenders))
    titles = {contender.key: contender.title for contender in bench.contenders}
    say("\n" + "\n".join([*[f"{key}: {title}" for key, title in titles.items()], bench.standing_table(titles)]))
    say("\n" + report.goal_table(reached))
    for failure in rounds.failures:
        say(f"failed: {failure}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(report.as_json(told, rounds, bench.standing, reached), file, indent=1)
    if options.svg:
        words = [f"{key} {value}" for key, value in told.items() if key not in ("measured", "left out")]
        notes = [", ".join(words[:5]), ", ".join(words[5:]), told["measured"]]
        with open(options.svg, "w") as file:
            file.write(chart.Chart(rounds.figures, bench.contenders, notes).svg())


def show_costs(bench, seconds):
    if missing := costs.missing():
        raise LabError("bench", missing)
    bench.in_a_lab(lambda world: say(costs.table(costs.measure(contenders.start_all(world, [contenders.Ours])[0][0], seconds))), None)
    return 0


def interrupted(number, _frame):
    raise SystemExit(128 + number)


def main():
    options = arguments()
    if os.geteuid() != 0:
        print("bench: must be root: it makes network namespaces", file=sys.stderr)
        return 126
    if not network.has_congestion_control(options.congestion):
        print(f"bench: this kernel has no congestion control {options.congestion!r}", file=sys.stderr)
        return 2
    network.congestion_control = options.congestion
    signal.signal(signal.SIGTERM, interrupted)
    signal.signal(signal.SIGHUP, interrupted)
    bench = Bench(options)
    build.build([*build.programs(), "bench/load/cw-load"])
    if options.costs:
        return show_costs(bench, options.seconds)
    bench.run()
    show(bench)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except LabError as error:
        sys.exit(lab.fail(error))
    except KeyboardInterrupt:
        sys.exit(130)
