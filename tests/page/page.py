#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page of `jitframe check --html`, in a headless browser: page.py JITFRAME BROWSER DUMPS OBJECTS

DUMPS is tests/tools/kernel, OBJECTS the build's tests/tools. What the page shows is held to what the command prints
with --json and to what `emit --json` says of its own code. Prints TAP.
"""

import pathlib
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is

import dumps
import eyes
import landing
import names
import shows
import steps
from browser import Browser


class Test:
    def __init__(self, command, browser, kernel, objects, folder):
        self.command = command
        self.browser = browser
        self.js = browser.js
        self.key = browser.key
        self.kernel = pathlib.Path(kernel)
        self.objects = pathlib.Path(objects)
        self.folder = folder
        self.surveyed = []
        self.targets = sum(command.targets().values(), [])

    def dump(self, ending):
        """The dumps of the kernel's code whose names end like this."""
        return sorted(self.kernel.glob(f"*{ending}.txt"))

    def open(self, path, fragment="", **options):
        self.browser.open(path.as_uri() + fragment, **options)

    def quiet(self):
        """What the page has complained of or asked for."""
        yield from self.browser.problems
        for url in self.browser.requests:
            if not url.startswith("file:") or self.browser.requests.count(url) > 1:
                yield f"asks for {url}"


TESTS = [
    shows.every_input_is_shown_as_json_has_it,
    shows.the_first_finding_is_in_view,
    shows.findings_are_marked_on_the_frame,
    shows.good_callbacks_agree,
    steps.stepping_shows_what_the_emitter_says,
    steps.keys_go_where_they_say,
    steps.jumps_are_followed,
    steps.long_code_is_stepped_through_alike,
    landing.slots_that_differ_are_marked,
    landing.a_stack_pointer_that_differs_is_marked,
    names.names_stay_text,
    names.the_browser_refuses_what_is_not_the_pages,
    eyes.both_themes_can_be_read,
    eyes.paper_has_everything,
    eyes.no_window_needs_scrolling_sideways,
    eyes.the_keyboard_reaches_everything,
]


def main(jitframe, browser, kernel, objects, *only):
    print(f"1..{len(TESTS)}", flush=True)
    with tempfile.TemporaryDirectory(prefix="jitframe-page-") as folder, Browser(browser) as driven:
        folder = pathlib.Path(folder)
        t = Test(dumps.Command(jitframe, folder), driven, kernel, objects, folder)
        for number, test in enumerate(TESTS, 1):
            if only and test.__name__ not in only:
                continue
            faults = list(test(t))
            print(f"{'not ok' if faults else 'ok'} {number} - {test.__name__}", flush=True)
            for fault in faults[:20]:
                print(f"# {fault}".replace("\n", "\n# "), flush=True)
    return 0  # what failed is said in TAP


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
