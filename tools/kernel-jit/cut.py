# SPDX-License-Identifier: BSD-2-Clause
"""
Cuts definitions by name out of a C source, as Linux writes C: a definition's last line begins with its closing brace.

A wish is one of
    NAME            the #define of that name, with the lines that continue the #define
    struct:NAME     also union: and enum:
    fn:NAME         a function with its body
    with:NAME       the enum without a name that has NAME
A wish that ends in "?" may find nothing: the definition came in, or went, with some release.
"""
import re


def _macro(lines, name):
    begins = re.compile(rf"\s*#\s*define\s+{re.escape(name)}\b")
    for start, line in enumerate(lines):
        if begins.match(line):
            end = start
            while lines[end].endswith("\\"):
                end += 1
            return start, end
    return None


def _closing(lines, start):
    return next((at for at in range(start, len(lines)) if lines[at].startswith("}")), None)


def _braced(lines, head):
    begins = re.compile(head)
    for start, line in enumerate(lines):
        if begins.match(line):
            end = start if line.rstrip().endswith("};") else _closing(lines, start)
            if end is not None:
                yield start, end


def _nameless(lines, name):
    for start, end in _braced(lines, r"enum\s*\{"):
        if any(re.match(rf"\s*{re.escape(name)}\b", line) for line in lines[start:end]):
            return start, end
    return None


def _function(lines, name):
    called = re.compile(rf"(?<!\w){re.escape(name)}\(")
    for at, line in enumerate(lines):
        if not line[:1].isalpha() and line[:1] != "_" or not called.search(line):
            continue
        body = at
        while body < len(lines) and not lines[body].startswith("{") and not lines[body].rstrip().endswith(";"):
            body += 1
        if body == len(lines) or not lines[body].startswith("{"):
            # A prototype, or a body on the line itself.
            if not re.search(r"\)\s*\{.*\}$", line):
                continue
            body = at
        start = at
        while start and re.match(r"[A-Za-z_]", lines[start - 1]) and not re.search(r"[;}:]\s*$", lines[start - 1]):
            start -= 1
        return start, body if body == at else _closing(lines, body)
    return None


def find(lines, wish):
    """The first and the last line of what is wished for, or None."""
    kind, _, name = wish.rpartition(":")
    if kind in ("struct", "union", "enum"):
        # Since 7.0 the struct of a lock is begun by a macro.
        return next(_braced(lines, rf"(?:context_lock_)?{kind}[\s(]\s*{re.escape(name)}\)?\s*\{{"), None)
    return {"": _macro, "fn": _function, "with": _nameless}[kind](lines, name)


def cut(text, wishes):
    """returns: the definitions as text, and the wishes that found nothing and had to."""
    lines = text.splitlines()
    found, missing = [], []
    for wish in wishes:
        place = find(lines, wish.rstrip("?"))
        if place:
            found += lines[place[0] : place[1] + 1]
        elif not wish.endswith("?"):
            missing.append(wish)
    return "".join(line + "\n" for line in found), missing
