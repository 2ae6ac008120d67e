"""Counting tests: Meson's log and the reports of gtest executables become one line."""

import json
import shutil
import xml.etree.ElementTree
from pathlib import Path


class Totals:
    def __init__(self, passed=0, failed=0, skipped=0):
        self.passed, self.failed, self.skipped = passed, failed, skipped

    def add(self, other, code):
        """`code`: the exit code of what ran them; one that no counted failure explains counts as a failure."""
        self.passed += other.passed
        self.failed += other.failed or int(code != 0)
        self.skipped += other.skipped

    def __str__(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def fresh_folder(build):
    folder = Path(build) / "test-results"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def read(build, results):
    """What `meson test` ran last in `build`, with gtest's reports in `results`."""
    totals = Totals()
    reported = set()
    for report in results.glob("*.xml"):
        reported.add(report.stem)
        for case in xml.etree.ElementTree.parse(report).getroot().iter("testcase"):
            if case.get("status") == "notrun":
                continue
            if case.find("failure") is not None:
                totals.failed += 1
            elif case.get("result") == "skipped" or case.find("skipped") is not None:
                totals.skipped += 1
            else:
                totals.passed += 1
    log = Path(build) / "meson-logs/testlog.json"
    for line in log.read_text().splitlines() if log.exists() else []:
        entry = json.loads(line)
        if Path(entry["command"][0]).name in reported and entry["result"] in ("OK", "FAIL"):
            # A program that ended badly after its last case has passed is a failure nevertheless.
            continue
        if entry["result"] in ("OK", "EXPECTEDFAIL"):
            totals.passed += 1
        elif entry["result"] == "SKIP":
            totals.skipped += 1
        else:
            totals.failed += 1
    return totals
