"""Round by round: in a round each measure asks one contender after the other, so that what else the machine does hits all of them."""

import statistics
import time

from . import machine
from .loads import Failed

PATIENCE = 4  # so many disturbed ones in a row, and waiting for a quiet machine is given up until it is quiet


class Figure:
    """One value per round for each contender; None where it failed."""

    def __init__(self):
        self.rounds = {}

    def values(self, contender):
        return [value for value in self.rounds.get(contender, []) if value is not None]

    def median(self, contender):
        values = self.values(contender)
        return statistics.median(values) if values else None

    def spread(self, contender):
        values, middle = self.values(contender), self.median(contender)
        return (max(values) - min(values)) / 2 / abs(middle) if middle else 0.0

    def ratio(self, contender, other):
        mine, theirs = self.median(contender), self.median(other)
        return mine / theirs if mine is not None and theirs else None

    def ratios(self, contender, other):
        """Of each round in which both were measured."""
        pairs = zip(self.rounds.get(contender, []), self.rounds.get(other, []))
        return [mine / theirs for mine, theirs in pairs if mine is not None and theirs]


class Together:
    """A measure that asks all contenders at the same time. `ask`: function of them, gives {key: figures, or the Failed}."""

    def __init__(self, ask):
        self.ask = ask


class Rounds:
    def __init__(self, say):
        self.figures = {}
        self.thrown_away = 0
        self.kept_busy = 0
        self.kept = 0
        self.failures = []
        self._disturbed_in_a_row = 0
        self._say = say

    def run(self, running, measures, count, deadline):
        """`count` rounds, fewer where the deadline comes first; what was disturbed is measured again while there is time for it."""
        for number in range(count):
            # Another one begins each time: the first of a round may find a colder machine.
            turn = number % len(running)
            turned = running[turn:] + running[:turn]
            for name, measure in measures:
                if time.monotonic() > deadline:
                    self._say(f"out of time in round {number + 1}")
                    return
                self._one(f"round {number + 1}/{count}: {name}", turned, measure, deadline)

    def _one(self, label, running, measure, deadline):
        while True:
            found, foreign = self._ask_all(label, running, measure)
            if foreign <= machine.BUSY:
                self._disturbed_in_a_row = 0
                break
            self._disturbed_in_a_row += 1
            if self._disturbed_in_a_row >= PATIENCE or time.monotonic() > deadline:
                # Better a disturbed figure that says so than none.
                self.kept_busy += 1
                break
            self.thrown_away += 1
            self._say(f"{label}: thrown away, others used {foreign:.0%} of the machine")
        self.kept += 1
        for figure in dict.fromkeys(figure for values in found.values() for figure in values):
            rounds = self.figures.setdefault(figure, Figure()).rounds
            for contender in running:
                rounds.setdefault(contender.key, []).append(found[contender.key].get(figure))
        main = next((figure for values in found.values() for figure in values), None)
        told = ", ".join(f"{key} {values[main]:.2f}" for key, values in found.items() if main in values)
        self._say(f"{label}: {told} (others {foreign:.0%})")

    def _ask_all(self, label, running, measure):
        """({key: figures}, the largest share of the machine that others used meanwhile)."""
        if isinstance(measure, Together):
            with machine.Watch([]) as watch:
                answers = measure.ask(running)
            return {each.key: self._figures(label, each, answers[each.key]) for each in running}, watch.foreign
        found, foreign = {}, 0.0
        for contender in running:
            with machine.Watch([]) as watch:
                try:
                    answer = measure(contender)
                except Failed as error:
                    answer = error
                found[contender.key] = self._figures(label, contender, answer)
            if answer:  # what was not asked took no time to speak of
                foreign = max(foreign, watch.foreign)
        return found, foreign

    def _figures(self, label, contender, answer):
        if not isinstance(answer, Failed):
            return answer
        self.failures.append(f"{label}, {contender.title}: {answer}")
        self._say(self.failures[-1])
        time.sleep(1)  # for a server that still has to see that its client is gone
        return {}
