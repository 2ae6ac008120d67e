"""Builds everything and runs all tests. As root on Debian 12 it installs what it needs by itself.

  tools/test                 unit, world and lab tests
  tools/test unit|lab        only those
  tools/test --full          longer: more seeds, the same under sanitizers, fuzzers for a while
  tools/test -k WORDS        only lab tests whose names hold WORDS, or gtest cases by --gtest_filter's pattern '*WORDS*'

Lab tests build network namespaces and need root; elsewhere they count as skipped, and say so. The last line counts them all.
"""

import argparse
import os
import subprocess
import sys

from . import build, layout, test_results
from .shell import LabError

SEEDS_FULL = "10000"
FUZZ_SECONDS_FULL = "60"


def arguments():
    parser = argparse.ArgumentParser(prog="tools/test", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    parser.add_argument("part", nargs="?", choices=("unit", "lab"))
    parser.add_argument("--full", action="store_true")
    parser.add_argument("-k", dest="words")
    return parser.parse_args()


def unit(totals, folder, words, environment):
    """The tests that Meson knows, each case of a gtest executable counted by itself."""
    results = test_results.fresh_folder(folder)
    settings = {**os.environ, **environment, "GTEST_OUTPUT": f"xml:{results}/", "GTEST_BRIEF": "1"}
    if words:
        settings["GTEST_FILTER"] = f"*{words.replace(' ', '')}*"
    # The limits are there for what hangs; a busy machine is no reason to end a test.
    command = ["meson", "test", "-C", str(folder), "--no-rebuild", "--print-errorlogs", "--timeout-multiplier", "5"]
    code = subprocess.run(command, env=settings, stdin=subprocess.DEVNULL).returncode
    totals.add(test_results.read(folder, results), code)


def lab(totals, words):
    if os.geteuid() != 0:
        print("test: lab tests are skipped: they need root, as they make network namespaces", flush=True)
        totals.skipped += 1
        return
    from . import lab_tests
    totals.add(lab_tests.run(words), 0)


def sanitized(totals):
    folder = layout.ROOT / "build-sanitized"
    build.build(folder=folder, options=["-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dbench=disabled"])
    unit(totals, folder, None, {"ASAN_OPTIONS": "detect_leaks=1", "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1"})


def fuzz(totals):
    code = subprocess.run([layout.ROOT / "tools/fuzz", "--seconds", FUZZ_SECONDS_FULL], stdin=subprocess.DEVNULL).returncode
    totals.add(test_results.Totals(passed=int(code == 0), failed=int(code != 0)), 0)


def main():
    options = arguments()
    totals = test_results.Totals()
    try:
        build.build()
        if options.part in (None, "unit"):
            unit(totals, layout.BUILD, options.words, {"CAUSEWAY_SEEDS": SEEDS_FULL} if options.full else {})
        if options.part in (None, "lab"):
            lab(totals, options.words)
        if options.full:
            sanitized(totals)
            fuzz(totals)
    except LabError as error:
        print(f"test: FAILED: {error}", flush=True)
        if error.log:
            subprocess.run(["tail", "-n", "60", str(error.log)])
        totals.failed += 1
    print(totals)
    return 0 if totals.failed == 0 and totals.passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())
