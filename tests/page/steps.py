# SPDX-License-Identifier: BSD-2-Clause
"""Stepping through the code, against the rows that `jitframe emit --json` has of its own code; and the keys."""

import re


HERE = """(() => ({
    offset: parseInt(document.querySelector("#lines [aria-selected=true] .offset").textContent, 16),
    active: document.querySelector("#lines").getAttribute("aria-activedescendant") ===
        document.querySelector("#lines [aria-selected=true]").id,
    inView: (() => { const line = document.querySelector("#lines [aria-selected=true]").getBoundingClientRect(),
        pane = document.querySelector("#code").getBoundingClientRect();
        return line.top >= pane.top - 1 && (line.bottom <= pane.bottom + 1 || line.height > pane.height); })(),
    registers: Object.fromEntries([...document.querySelectorAll("#registers tbody tr")].map((row) =>
        [row.cells[0].textContent, row.cells[2].textContent.replace("• ", "")])),
    slots: [...document.querySelectorAll("#frame g.slot")].map((slot) => slot.getAttribute("aria-label")),
    pointers: [...document.querySelectorAll("#frame .pointer")].map((text) => text.textContent),
}))()"""
# The same at every instruction, by the key for the next one.
EVERYWHERE = """[...document.querySelectorAll("#lines li")].map(() => {
    const here = %s;
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "j" }));
    return here;
})""" % HERE


def row_differences(row, state):
    """What the emitter's row says, and the page does not."""
    register, off = row["cfa_register"], -row["cfa_off"]
    if state["registers"].get(register) != f"CFA{off:+}":
        yield f"{register} is CFA{off:+}, and the page says {state['registers'].get(register)}"
    if not any(register in re.split("[, …]+", names) for names in state["pointers"]):
        yield f"no pointer of {register}: {state['pointers']}"
    for name, place in row["saved_off_from_cfa"].items():
        slot = next((slot for slot in state["slots"] if slot.startswith(f"CFA{place:+},")), "")
        if f"holds the caller's {name}" not in slot:
            yield f"{name} is at CFA{place:+}, and the page says {slot}"


def stepping_shows_what_the_emitter_says(t):
    for target in (targets[-1] for targets in t.command.targets().values()):
        page, _ = t.command.page(str(t.command.pair(target)), "--target", target)
        t.open(page, "#0+0x0", height=500)
        for insn, state in zip(t.command.emitted(target, "boundary")["instructions"], t.js(EVERYWHERE), strict=True):
            if state["offset"] != insn["offset"] or not state["active"] or not state["inView"]:
                yield f"{target}: +0x{insn['offset']:x}: {state['offset']:x}, {state['active']}, {state['inView']}"
            for difference in row_differences(insn["row"], state):
                yield f"{target}: +0x{insn['offset']:x}: {difference}"


def keys_go_where_they_say(t):
    page, wanted = t.command.page(str(t.dump("-small-64")[0]))
    offset = lambda: t.js(HERE)["offset"]
    first = wanted["functions"][0]["findings"][0]["offset"]
    t.open(page)
    steps = [("p", None), ("n", None), ("k", -4), ("ArrowUp", -8), ("ArrowDown", -4), ("j", 0), ("j", 4)]
    for key, by in steps:
        t.key(key)
        if by is not None and offset() != first + by:
            yield f"{key} leads to +0x{offset():x}, not to +0x{first + by:x}"
    t.key("Home")
    if offset() != 0:
        yield "Home is not the first instruction"
    t.key("k")
    if offset() != 0:
        yield "k goes on above the first instruction"
    t.key("End")
    last = offset()
    t.key("j")
    if offset() != last or last == 0:
        yield "End is not the last instruction"
    t.key("n")
    if not t.js("location.hash").startswith("#1"):
        yield "n does not go on in the next function"
    t.key("[")
    if not t.js("location.hash").startswith("#0"):
        yield "[ is not the function before"
    t.key("b")
    if t.js("document.querySelector('#landing').hidden || document.activeElement === null"):
        yield "b does not show boundary and callback"
    t.key("b")
    t.key("?")
    if not t.js("document.querySelector('#help').open"):
        yield "? shows no help"
    t.key("Escape")
    if t.js("document.querySelector('#help').open"):
        yield "Escape leaves the help open"
    t.open(page, "#1+0x8")
    if t.js("document.querySelector('#summary h2').textContent").endswith("throws") or offset() != 8:
        yield "an address with function and offset leads elsewhere"
    yield from t.quiet()


def jumps_are_followed(t):
    page, _ = t.command.page(str(t.objects / "kinds.bpf.o"))
    t.open(page)
    jump = t.js("""(() => { const line = [...document.querySelectorAll("#lines li")].find((line) =>
        line.querySelector(".does").textContent.startsWith("→ +0x")); line.click();
        return line.querySelector(".does").textContent.slice(5); })()""")
    before = t.js(HERE)["offset"]
    t.key("g")
    if t.js(HERE)["offset"] != int(jump, 16):
        yield f"g leads to +0x{t.js(HERE)['offset']:x}, not to +0x{jump}"
    t.key("u")
    if t.js(HERE)["offset"] != before:
        yield "u does not lead back"


def long_code_is_stepped_through_alike(t):
    """What holds far behind is found from a state that was kept on the way, and so is what holds in front of it."""
    target = t.targets[0]
    emitted = t.command.emitted(target, "boundary")
    code, body = bytes.fromhex(emitted["code"]), emitted["marks"]["body"]
    at = next(insn for insn in emitted["instructions"] if insn["offset"] == body)
    before = [insn["offset"] for insn in emitted["instructions"]].index(body)
    # The first instruction sets a register that no row speaks of.
    filler = bytes.fromhex(emitted["instructions"][0]["bytes"])
    path = t.folder / "long.hex"
    path.write_text((code[:body] + filler * 1200 + code[body:]).hex())
    page, _ = t.command.page(str(path), "--target", target, "--role", "boundary", "--stack", "64", "--uses", "r6")
    t.open(page, "#0+0x0")
    t.key("End")
    if t.js("document.querySelectorAll('#lines li').length") < 1200:
        yield "the page does not have all lines"
    for index in (before + 1200, 600, 257, 256, 255, before + 1, 700):
        t.js(f"document.querySelector('#insn-{index}').click()")
        for difference in row_differences(at["row"], t.js(HERE)):
            yield f"instruction {index}: {difference}"
