# SPDX-License-Identifier: BSD-2-Clause
"""Rows of judge.py as a table: text, JSON, HTML."""

import collections
import dataclasses
import html
import re
import string

from judge import BAD, GOOD, UNJUDGED, UNSUPPORTED, Row

HEAD = ("program", "expected", "got", "registers", "rules broken")
STATES = (GOOD, BAD, UNSUPPORTED, UNJUDGED)
NAMED = 3  # programs behind a reason


def number(value):
    return "-" if value is None else str(value if value < 1 << 31 else f"{value:#x}")


def cells(row):
    if row.registers is None:
        registers = "-"
    elif row.lost:
        registers = "lost " + " ".join(row.lost)
    else:
        registers = f"{row.registers} kept"
    rules = " ".join([f"R{rule}" for rule in row.rules()]) or ("none" if row.functions else "-")
    undecided = sorted({finding["rule"] for finding in row.undecided})
    if undecided:
        rules += " (undecided: " + " ".join(f"R{rule}" for rule in undecided) + ")"
    return row.program, number(row.expected), number(row.got), registers, rules


def counts(rows):
    found = collections.Counter(row.state for row in rows)
    return {state: found[state] for state in STATES}


def summary(rows):
    ran = [row for row in rows if row.got is not None]
    judged = [row for row in rows if row.functions and row.state in (GOOD, BAD)]
    right = sum(not row.is_wrong() for row in ran)
    numbers = counts(rows)
    return (
        f"{len(rows)} programs: {sum(row.functions for row in judged)} functions of {len(judged)} judged, {len(ran)} ran, "
        f"{right} of them gave the stated result; {numbers[BAD]} bad, {numbers[UNSUPPORTED]} not supported, "
        f"{numbers[UNJUDGED]} not judged"
    )


def reasons(rows):
    """((state, reason), programs), most frequent first, of what has no result. Reasons differ in more than a place."""
    found = {}
    for row in rows:
        if row.why_not:
            reason = re.sub(r"\bfunction \w+: (?:instruction \d+: )?|(?<=takes no function) \S+?(?=: |$)", "", row.why_not)
            found.setdefault((row.state, reason), []).append(row.program)
    return sorted(found.items(), key=lambda item: -len(item[1]))


def some(programs):
    shown = " ".join(list(dict.fromkeys(programs))[:NAMED])
    return shown + (" ..." if len(set(programs)) > NAMED else "")


def findings(rows):
    """What is broken, one entry for what differs in the place alone: (finding, program, function) each."""
    found = {}
    for row in rows:
        for finding in row.findings:
            key = finding["rule"], re.sub(r"^at \+0x\w+ `\S+` ", "", finding["text"])
            found.setdefault(key, []).append((finding, row.program, finding["function"]))
    return [places for _, places in sorted(found.items(), key=lambda item: (item[0][0], -len(item[1])))]


def text(arch, head, rows, everything=False):
    """The table. Without `everything` a row that is good is only counted when it did not run."""
    shown = [row for row in rows if everything or row.state == BAD or row.got is not None]
    table = [HEAD] + [cells(row) for row in shown]
    widths = [max(len(line[column]) for line in table) for column in range(len(HEAD))]
    lines = [f"{arch}: {head}"]
    for line, row in zip(table, [None] + shown):
        mark = "! " if row and row.state == BAD else "  "
        lines.append((mark + "  ".join(cell.ljust(width) for cell, width in zip(line, widths))).rstrip())
    for places in findings(rows):
        finding, program, function = places[0]
        lines.append(f"R{finding['rule']} in {program}, {function}: {finding['text']}")
        if "instruction" in finding:
            lines.append(f"    {finding['offset']:6x}:  {finding['instruction']}")
        if len(places) > 1:
            lines.append(f"    and {len(places) - 1} more")
    for (state, reason), programs in reasons(rows):
        lines.append(f"{len(programs):6} {state if state != GOOD else 'checked only'}: {reason} ({some(programs)})")
    return "\n".join(lines + [summary(rows)]) + "\n"


def as_json(arch, head, rows):
    return {
        "arch": arch,
        "jit": head,
        "counts": counts(rows),
        "programs": [{**dataclasses.asdict(row), "rules": row.rules()} for row in rows],
    }


def rows_of_json(made):
    """The rows that as_json() had."""
    names = [field.name for field in dataclasses.fields(Row)]
    return [Row(**{name: program[name] for name in names}) for program in made["programs"]]


PAGE = string.Template("""<!DOCTYPE html>
<html lang="en"><meta charset="utf-8"><title>$title</title>
<style>
body { font: 15px/1.5 sans-serif; margin: 2em; } table { border-collapse: collapse; } td, th { text-align: left;
padding: .1em 1em .1em 0; border-bottom: 1px solid #ddd; } tr.bad { background: #fdd; } tr.unsupported, tr.unjudged
{ color: #777; } code { font-size: 13px; }
</style>
<h1>$title</h1>
$body
</html>
""")


def html_findings(row):
    return "".join(
        f"<br>R{finding['rule']} in {html.escape(finding['function'])}: {html.escape(finding['text'])}"
        f" <code>{html.escape(finding.get('instruction', ''))}</code>"
        for finding in row.findings
    )


def html_table(arch, head, rows, links):
    """links: of each row the page of its code, or nothing."""
    lines = [f"<h2>{html.escape(arch)}: {html.escape(head)}</h2>", f"<p>{html.escape(summary(rows))}</p>", "<table>"]
    lines.append("<tr>" + "".join(f"<th>{cell}</th>" for cell in HEAD) + "</tr>")
    for row, page in zip(rows, links):
        name, *others = map(html.escape, cells(row))
        name = f'<a href="{html.escape(page)}">{name}</a>' if page else name
        others[-1] += html_findings(row) + (f"<br>{html.escape(row.why_not)}" if row.why_not else "")
        kind = row.state.replace("not ", "un").replace(" ", "")
        lines.append(f'<tr class="{kind}">' + "".join(f"<td>{cell}</td>" for cell in (name, *others)) + "</tr>")
    return "\n".join(lines + ["</table>"])


def page(title, tables):
    return PAGE.substitute(title=html.escape(title), body="\n".join(tables))
