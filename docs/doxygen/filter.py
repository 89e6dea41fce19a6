#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A public header as Doxygen wants it: filter.py HEADER

The headers have plain comments with fields of their own, "in: out: owns: returns: threads: cost:". As
Doxygen's filter this makes Doxygen's comments of these. A line stays the line that it was, so that what Doxygen says of
a line is true of the header:

    a comment before a declaration                          the declaration's
    the same, and more declarations up to a blank line      the comment of each
    a comment behind code in its line                       that member's
    the first comment that belongs to no declaration        the header's
    several members in one declaration                      the comment of each
    a member without a comment                              "See struct jf_x.": the name says all, or the struct does
    X(NAME, VALUE, "text") lists                            an enumerator with the text

A function, struct, enum or macro without a comment stays without one: Doxygen says so, and the build of the pages fails.
"""

import pathlib
import re
import sys

COMMENT = re.compile(r"/\*.*?\*/", re.S)
FIELD = re.compile(r"(?:(?<=^)|(?<=[.;)] ))(in, out|returns, threads|in|out|owns|returns|threads|cost):(?=\s)")
NAMES = {
    "in": "In", "out": "Out", "in, out": "In, out", "owns": "Ownership", "returns": "Returns", "cost": "Cost",
    "threads": "Threads and signals", "returns, threads": "Returns, threads",
}
# Nothing that Doxygen is told of.
SILENT = ("SPDX-License-Identifier", "/* ----", "clang-format")


def escape(text):
    text = re.sub(r"([\\@&$#<>%])", r"\\\1", text)
    return re.sub(r"`([^`]*)`", r"<tt>\1</tt>", text)


def body_lines(comment):
    """The text of a comment, line by line, with the indentation that is behind the star."""
    inside = comment[2:-2].split("\n")
    return [inside[0].strip()] + [re.sub(r"^\s*\*? ?", "", line, count=1).rstrip() for line in inside[1:]]


def doxygen_text(comment):
    """The same number of lines, in Doxygen's words."""
    out = []
    block = False
    lines = body_lines(comment)
    for at, line in enumerate(lines):
        starts = line.startswith("    ") and at > 0 and not lines[at - 1].strip()
        if block and line.strip() and not line.startswith("    "):
            out[-1] += "\\endverbatim"
            block = False
        if not block and starts:
            out[-1] += "\\verbatim"
            block = True
        if block:
            out.append(line)
            continue
        text = escape(line.strip())
        out.append(FIELD.sub(lambda match: f"<p><b>{NAMES[match.group(1)]}:</b>", text))
    if block:
        out[-1] += "\\endverbatim"
    return out


def render(comment, mark):
    """mark: what the comment begins with, "/**" or "/**<" for example."""
    return f"{mark} {chr(10).join(doxygen_text(comment))} */"


def lists_of(text):
    """X lists: name -> rows of (name, value, text)."""
    found = {}
    for match in re.finditer(r"#define (\w+_LIST)\(X\)((?:.*\\\n)*.*)\n", text):
        found[match.group(1)] = re.findall(r'X\((\w+), (-?\w+), "([^"]*)"\)', match.group(2))
    return found


def expand_lists(text):
    lists = lists_of(text)

    def rows(match):
        found = lists[match.group(1)]
        return "\n" + "".join(f" {name} = {value}, /**< {words} */" for name, value, words in found) + "\n\n"

    return re.sub(r"#define \w+\(name, value, text\) name = value,\n\s+(\w+_LIST)\(\w+\)\n#undef \w+\n", rows, text)


def place_of(text, match):
    """What a comment stands beside: "silent", "behind", "before", "apart"."""
    comment = match.group()
    line_start = text.rfind("\n", 0, match.start()) + 1
    before = text[line_start:match.start()].strip()
    after = text[match.end():].split("\n", 2)
    if any(word in comment for word in SILENT) or before.startswith("#endif") or before.endswith("{"):
        return "silent"
    if before:
        return "behind" if not after[0].strip() or after[0].strip() == "\\" else "silent"
    following = after[1].strip() if len(after) > 1 else ""
    return "before" if following and not following.startswith("#include") else "apart"


CONTAINER = re.compile(r"^\s*(?:typedef |const |JF_EXTENSION )*(struct|enum|union)\s*(\w*)\s*\{")
DECLARATION = re.compile(r"^(JF_API|#define|typedef|extern|(struct|enum|union) \w+ [\w{])")
MEMBER = re.compile(r"^\s+[\w*\[\]() ].*[;,]$|^\s+JF_\w+,?$|^\s+JF_\w+ = [^,/]*,?$")


# "uint64_t low, high;": indentation, type, names.
SEVERAL = re.compile(r"^(\s+)((?:const |struct |enum |unsigned )*\w+ )(\**\w+(?:\[\w+\])*(?:, \**\w+(?:\[\w+\])*)+);(.*)$")


def convert(text):
    about = "/** @file"  # takes the rest of its line for a name
    pieces, last = [], 0
    marks = {}  # a number in the text -> the comment that stands there
    for match in COMMENT.finditer(text):
        place = place_of(text, match)
        pieces.append(text[last:match.start()])
        last = match.end()
        if place == "apart" and about and match.group().startswith("/*\n"):
            pieces.append(render(match.group(), about))
            about = None
        elif place in ("silent", "apart"):
            pieces.append("\n" * match.group().count("\n"))
        else:
            marks[len(marks)] = render(match.group(), "/**<" if place == "behind" else "/**")
            pieces.append(f"\0{len(marks) - 1}{'<' if place == 'behind' else '>'}\0")
    pieces.append(text[last:])
    text = "\n".join(with_copies("".join(pieces).split("\n")))
    text = re.sub("\0(\\d+)([<>=])\0", lambda match: shown(marks[int(match.group(1))], match.group(2)), text)
    return (f"{about} */" if about else "") + expand_lists(text)


def shown(comment, how):
    """A comment that stands a second time has to do with one line."""
    return comment.replace("\n", " ") if how == "=" else comment


DECLARED = re.compile(r"\b(jf_\w+)\(|#define (\w+)|^(?:struct|enum|union) (\w+)")


def with_copies(lines):
    """Adds the comment of a group to each of its declarations, and a word to members without a comment."""
    out, containers = [], []
    first = None  # what the comment of a group stands before; the declarations behind it have the same comment
    fresh = None  # the comment that the next line takes
    ended = True
    for line in lines:
        code = re.sub("\0.*?\0", "", line)
        comments = re.findall("\0\\d+>\0", line)
        ended = ended or not code.strip()
        if not line.strip():
            first = fresh = None
        elif comments and not code.strip():
            first, fresh = "", comments[-1]
        elif not containers and ended and DECLARATION.match(line):
            declared = DECLARED.search(line)
            if first and not fresh:
                line = f"/** @copydoc {first} */ {line}"
            elif first == "" and declared:
                first = next(filter(None, declared.groups()))
        if code.strip():
            line = with_member(line, code, containers, fresh)
            fresh = None
            ended = code.rstrip().endswith(";") or (code.startswith("#define") and not code.rstrip().endswith("\\"))
        out.append(line)
    return out


def with_member(line, code, containers, fresh):
    """Keeps the list of structs and enums that the line is in. returns: the line, a comment for each member."""
    opened = CONTAINER.match(code)
    several = SEVERAL.match(line) if containers else None
    if containers and MEMBER.match(code) and "<" not in line and not fresh and not opened:
        line += f" /**< See {containers[-1]}. */"
        several = SEVERAL.match(line)
    if several:
        indent, kind, names, comment = several.groups()
        line = f" {(fresh or '').replace('>', '=')}".join(f"{indent}{kind}{one};{comment}" for one in names.split(", "))
    if opened:
        containers.append(f"{opened.group(1)} {opened.group(2)}".strip())
    elif containers and re.match(r"^\s*\}", code):
        containers.pop()
        if containers and "<" not in line:
            line += f" /**< See {containers[-1]}. */"
    return line


def main():
    path = pathlib.Path(sys.argv[1])
    sys.stdout.write(convert(path.read_text(encoding="utf-8")))


if __name__ == "__main__":
    main()
