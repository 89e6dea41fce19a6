# SPDX-License-Identifier: BSD-2-Clause
"""Boundary and callback side by side."""

import look

SHOWN = """({
    bad: document.querySelectorAll("#landing .place.bad").length,
    outcome: document.querySelector("#landing .outcome")?.textContent,
    rows: [...document.querySelectorAll("#landing tbody tr")].map((row) =>
        [row.cells[0].textContent, row.cells[1].textContent, row.cells[2].textContent, row.cells[3].textContent,
         row.cells[4].textContent]),
    marked: [...document.querySelectorAll("#landing svg")].map((svg) =>
        [...svg.querySelectorAll("g.disagrees")].map((slot) => slot.getAttribute("aria-label").split(",")[0])),
    places: [...document.querySelectorAll("#landing svg")].map((svg) => {
        const r = svg.getBoundingClientRect(); return [r.left, r.right, r.top]; }),
})"""


def side_by_side(both):
    places = both["places"]
    if len(places) != 2 or places[0][1] > places[1][0] or abs(places[0][2] - places[1][2]) > 1:
        yield f"the two frames are not side by side: {places}"


def slots_that_differ_are_marked(t):
    """A callback that was made by another convention of the same architecture."""
    seen = 0
    for targets in t.command.targets().values():
        for target, other in zip(targets, targets[1:] + targets[:1]):
            page, wanted = t.command.page(str(t.command.pair(target, other)), "--target", target)
            if wanted["functions"][1]["spec"]["role"] != "callback":
                continue
            t.open(page, "#0b", width=1600)
            both = t.js(SHOWN)
            bad = [row[1] for row in both["rows"] if row[4] == "✗ differ"]
            seen += bool(bad)
            if bad and (both["marked"][0] != both["marked"][1] or not set(bad) <= set(both["marked"][0])):
                yield f"{other} in {target}: {bad} differ, {both['marked']} are marked"
            if bad and not both["outcome"].startswith("✗"):
                yield f"{other} in {target}: {both['outcome']}"
            yield from side_by_side(both)
    if seen < 2:
        yield f"only {seen} pairs of conventions have slots that differ"


def a_stack_pointer_that_differs_is_marked(t):
    page, _ = t.command.page(str(t.dump("-private-exceptions")[0]))
    t.open(page)
    if not t.js(look.IN_VIEW % "#tab-landing"):
        yield "boundary and callback are not one click away"
    t.browser.click("#tab-landing")
    rows = t.js(SHOWN)["rows"]
    if [row[4] for row in rows] != ["✓ agree"] * (len(rows) - 1) + ["✗ differ"]:
        yield f"{rows}"
    t.browser.click("#landing tr.disagrees button")
    if not t.js("document.querySelector('#lines li.bad[aria-selected=true]') !== null"):
        yield "the place in the table does not lead to the code"
