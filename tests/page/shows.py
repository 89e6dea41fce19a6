# SPDX-License-Identifier: BSD-2-Clause
"""What the page shows of every form of input, against what the command prints with --json."""

import re

import landing
import look


def inputs(t):
    """Every form of input, each architecture, what is broken, undecided and sound."""
    for path in t.dump(""):
        if "may-goto" not in path.name:  # these frames are as others are
            yield [str(path)]
    yield [str(t.dump("-switch")[0]), "--except", "R1,R2"]
    yield [str(t.objects / "frames.o"), "--rows"]
    yield [str(t.objects / "kinds.bpf.o")]
    hexadecimal = t.folder / "emitted.hex"
    hexadecimal.write_text(t.command.emitted(t.targets[0], "boundary")["code"])
    yield [str(hexadecimal), "--target", t.targets[0]]
    for target in t.targets:
        yield [str(t.command.pair(target)), "--target", target]


# Every function of a page: what is said of it, and what of the frame is marked once a finding is clicked.
SHOWN = """[...document.querySelectorAll("#functions button")].map((button) => {
    button.click();
    const texts = (selector) => [...document.querySelectorAll(selector)].map((item) =>
        item.getAttribute("aria-label") ?? item.textContent);
    const shown = {
        name: document.querySelector("#summary h2").textContent, rules: texts("#rules button"),
        findings: texts("#findings .sentence"), notes: texts("#lines .note"), decide: texts("#findings .decide"),
        lines: document.querySelectorAll("#lines li").length,
        facts: document.querySelector("#summary .facts").textContent,
    };
    shown.marked = [...document.querySelectorAll("#findings button")].map((finding) => {
        finding.click();
        return { text: finding.querySelector(".sentence").textContent, slots: texts("#frame g.slot.marked"),
            lines: texts("#frame .finding-line title"), notes: texts("#frame .frame-note") };
    });
    return shown;
})"""
OPENED = """({
    verdict: document.querySelector("#verdict").textContent, target: document.querySelector("#target").textContent,
    assumed: document.querySelector("#assumed").textContent,
    first: document.querySelector("#lines li[aria-selected=true] .note")?.textContent,
    inView: ["#findings button", "#lines li[aria-selected=true] .note"].map((selector) => %s),
})""" % look.IN_VIEW.replace("`%s`", "selector")


def survey(t):
    """Each page once: (arguments, what --json says, as the page opened, its functions, landing, complaints)."""
    if not t.surveyed:
        for arguments in inputs(t):
            path, wanted = t.command.page(*arguments)
            t.open(path, height=720)
            opened, shown = t.js(OPENED), t.js(SHOWN)
            t.js("document.querySelector('#tab-landing').click()")
            both = t.js(landing.SHOWN)
            faults = list(t.quiet()) + ["it names an address"] * ("://" in path.read_text())
            t.surveyed.append((" ".join(arguments), wanted, opened, shown, both, faults))
    return t.surveyed


def differences(function, page):
    if not page["name"].endswith(function["name"]):
        yield f"is of {page['name']}, not of {function['name']}"
    for (rule, verdict), label in zip(function["rules"].items(), page["rules"]):
        if not label.startswith(f"{rule} ") or f": {verdict}. " not in label:
            yield f"{rule} is {verdict}, and the page says {label}"
    if len(page["rules"]) != len(function["rules"]):
        yield f"has {len(page['rules'])} rules"
    for finding in function["findings"]:
        if finding["text"] not in page["findings"]:
            yield f"does not say: {finding['text']}"
        if "offset" in finding and not any(note.endswith(finding["text"]) for note in page["notes"]):
            yield f"has no mark on the code: {finding['text']}"
        if "to_decide" in finding and not any(text.endswith(finding["to_decide"]) for text in page["decide"]):
            yield f"does not say what decides: {finding['text']}"
    if page["lines"] < function["instructions"]:
        yield f"shows {page['lines']} instructions of {function['instructions']}"
    if f"{function['instructions']} instruction" not in page["facts"]:
        yield f"counts otherwise: {page['facts']}"


def every_input_is_shown_as_json_has_it(t):
    for name, wanted, opened, shown, _, faults in survey(t):
        yield from (f"{name}: {fault}" for fault in faults)
        if len(shown) != len(wanted["functions"]):
            yield f"{name}: the page has {len(shown)} functions"
        for function, there in zip(wanted["functions"], shown):
            yield from (f"{name}: the page {difference}" for difference in differences(function, there))
        if opened["target"] != wanted["target"]:
            yield f"{name}: the target is {opened['target']}"
        if ("Taken for granted: " + wanted["target"] in opened["assumed"]) != (wanted["taken_for_granted"] is not None):
            yield f"{name}: {opened['assumed']}"
        if wanted["sound"] != ("✓ all rules hold" == opened["verdict"]):
            yield f"{name}: the verdict is {opened['verdict']}"


def the_first_finding_is_in_view(t):
    for name, wanted, opened, _, _, _ in survey(t):
        verdicts = {finding["verdict"] for function in wanted["functions"] for finding in function["findings"]}
        if verdicts and opened["inView"] != [True, True]:
            yield f"{name}: out of sight: {opened['inView']}"
        if "broken" in verdicts and opened["first"][0] != "✗":
            yield f"{name}: something is broken, and the page opens at {opened['first']}"
    page, _ = t.command.page(str(t.dump("-small-64")[0]))
    t.open(page, width=1024, height=768)
    t.browser.click("#findings button")
    if not t.js(look.IN_VIEW % "#lines li[aria-selected=true] .note"):
        yield "one click does not bring the finding into view where the window is small"


def findings_are_marked_on_the_frame(t):
    """A place that a sentence names is a slot, an address, or lies outside of the frame."""
    count = 0
    for name, _, _, shown, _, _ in survey(t):
        for found in sum((function["marked"] for function in shown), []):
            places = re.findall(r"CFA(?:-\d+|\+0)", found["text"])  # what is above belongs to the caller
            count += len(places)
            marks = found["slots"] + found["lines"]
            for place in places:
                if not any(mark.startswith((place + ",", place + ":")) for mark in marks):
                    yield f"{name}: {found['text']}: {place} is not among {marks}"
            notes = [note for note in found["notes"] if note.endswith(found["text"])]
            if not places and not notes and not found["slots"]:
                yield f"{name}: the frame does not say: {found['text']}"
    if count < 8:
        yield f"only {count} places"


def good_callbacks_agree(t):
    pairs = {str(t.command.pair(target)) for target in t.targets}
    for name, _, _, _, both, _ in survey(t):
        if name.split()[0] not in pairs:
            continue
        yield from (f"{name}: {fault}" for fault in landing.side_by_side(both))
        if any(row[4] != "✓ agree" for row in both["rows"]) or len(both["rows"]) < 5 or any(both["marked"]) \
                or both["bad"]:
            yield f"{name}: {both}"
        if not both["outcome"].startswith("✓"):
            yield f"{name}: {both['outcome']}"
