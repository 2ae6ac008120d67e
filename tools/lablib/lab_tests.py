"""Runs tests/lab: unittest cases whose names are sentences, in labs that are made for them and taken away again: one with plain
wires, and one with a wide-area path for those that ask for it."""

import os
import sys
import time
import unittest

from . import lab, layout
from .shell import LabError, tail
from .test_results import Totals

CLIENTS = 2
CLIENTS_WITH_PATH = 1
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


def _single(suite):
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            yield from _single(test)
        else:
            yield test


def _matching(words):
    suite = unittest.defaultTestLoader.discover(str(FOLDER), pattern="*_test.py")
    return [test for test in _single(suite) if not words or words.replace(" ", "_").lower() in test.id().lower()]


def _run_in_a_lab(tests, clients, path):
    if lab.bring_up(clients, with_build=False, path=path) != 0:
        return Totals(failed=1)
    result = _Result()
    try:
        unittest.TestSuite(tests).run(result)
    finally:
        try:
            lab.bring_down()
        except LabError as error:
            print(f"test: the lab did not go down: {error}")
            result.errors.append((None, str(error)))
    bad = len(result.failures) + len(result.errors)
    return Totals(result.testsRun - bad - len(result.skipped), bad, len(result.skipped))


def run(words=None):
    """Gives the Totals."""
    sys.path.insert(0, str(FOLDER))
    found, totals = _matching(words), Totals()
    if found and lab.Lab().clients:
        print("test: a lab is up: taking it down first", flush=True)
        lab.bring_down()
    # A test that was not found or loaded is one of unittest's own, and fails wherever it runs.
    plain = [test for test in found if getattr(test, "path", None) is None]
    for tests, clients, path in ((plain, CLIENTS, None), ([test for test in found if test not in plain], CLIENTS_WITH_PATH, {})):
        if tests:
            totals.add(_run_in_a_lab(tests, clients, path), 0)
    return totals


if __name__ == "__main__":
    os.environ.setdefault("LC_ALL", "C.UTF-8")
    totals = run(" ".join(sys.argv[1:]))
    print(totals)
    sys.exit(0 if totals.failed == 0 and totals.passed else 1)
