"""Runs tests/lab: unittest cases whose names are sentences, in a lab that is made for them and taken away again."""

import os
import sys
import time
import unittest

from . import lab, layout
from .shell import LabError, tail
from .test_results import Totals

CLIENTS = 2
FOLDER = layout.ROOT / "tests/lab"


class _Result(unittest.TestResult):
    """One line a test: the sentence, and how long it took."""

    def startTest(self, test):
        super().startTest(test)
        self.began = time.monotonic()

    def _say(self, word, test, more=""):
        sentence = test.id().rpartition(".")[2].removeprefix("test_").replace("_", " ")
        print(f"  {word:<7} {sentence} ({time.monotonic() - self.began:.1f} s){more}", flush=True)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._say("ok", test)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._say("skipped", test, f": {reason}")

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._failed(test, self.failures)

    def addError(self, test, err):
        super().addError(test, err)
        self._failed(test, self.errors)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._failed(subtest, self.failures if issubclass(err[0], test.failureException) else self.errors)

    def _failed(self, test, where):
        self._say("FAILED", test)
        print("".join(f"    | {line}\n" for line in where[-1][1].splitlines()[-25:]), end="", flush=True)
        for name in ("gateway", "tund1"):
            path = layout.LOGS / f"{name}.log"
            text = tail(path, 12)
            print(f"    | the end of {path}:\n" + "".join(f"    |   {line}\n" for line in text.splitlines()), end="", flush=True)


def _matching(suite, words):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _matching(test, words)
        elif not words or words.replace(" ", "_").lower() in test.id().lower():
            yield test


def run(words=None):
    """Gives the Totals."""
    sys.path.insert(0, str(FOLDER))
    found = unittest.TestSuite(_matching(unittest.defaultTestLoader.discover(str(FOLDER), pattern="*_test.py"), words))
    if found.countTestCases() == 0:
        return Totals()
    if lab.Lab().clients:
        print("test: a lab is up: taking it down first", flush=True)
        lab.bring_down()
    if lab.bring_up(CLIENTS, with_build=False) != 0:
        return Totals(failed=1)
    result = _Result()
    try:
        found.run(result)
    finally:
        try:
            lab.bring_down()
        except LabError as error:
            print(f"test: the lab did not go down: {error}")
            result.errors.append((None, str(error)))
    bad = len(result.failures) + len(result.errors)
    return Totals(result.testsRun - bad - len(result.skipped), bad, len(result.skipped))


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    totals = run(" ".join(sys.argv[1:]))
    print(totals)
    sys.exit(0 if totals.failed == 0 and totals.passed else 1)
