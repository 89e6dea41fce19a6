#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Adds up the tests of Meson's logs: count-tests.py LOG_FOLDER...

A test program that speaks TAP (Criterion: --tap=/dev/stdout) counts case by case, any other as one test. Names what failed, then
prints "N passed, N failed, N skipped". The exit status is 1 when something failed or nothing passed.
"""

import json
import pathlib
import sys
import xml.etree.ElementTree as xml

RESULTS = {"OK": "passed", "EXPECTEDFAIL": "passed", "SKIP": "skipped"}  # all others: failed


def case_result(case):
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


def tap_cases(folder):
    """The cases of each TAP test, by the test's name; Meson puts "PROJECT." before that."""
    cases = {}
    for suite in xml.parse(folder / "testlog.junit.xml").getroot().iter("testsuite"):
        _, dot, name = suite.get("name").partition(".")
        if dot:
            cases[name] = [(case.get("name"), case_result(case)) for case in suite.iter("testcase")]
    return cases


def results(folder):
    """Yields (what, result) for each case, or for each test that has none."""
    log = folder / "testlog.json"
    if not log.exists():
        return
    cases = tap_cases(folder)
    for line in log.read_text().splitlines():
        test = json.loads(line)
        whole = RESULTS.get(test["result"], "failed")
        own = cases.get(test["name"], [])
        for name, result in own:
            yield f"{test['name']}: {name}", result
        # A program may also die between its cases.
        if not own or (whole == "failed" and all(result != "failed" for _, result in own)):
            yield f"{test['name']} ({test['result']})", whole


def main(folders):
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for folder in map(pathlib.Path, folders):
        for what, result in results(folder):
            count[result] += 1
            if result == "failed":
                print(f"failed in build/{folder.parent.name}: {what}")
    print(", ".join(f"{number} {result}" for result, number in count.items()))
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
