#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The C of pages and of public headers' comments, compiled: snippets.py ROOT LIBRARY FOLDER CC...

An indented block is C when a line of it ends as a statement does. A block with main() is a program: it is compiled with
CC, linked with LIBRARY and run, and when the page goes on with a block behind "prints:", that is what it has to print.
Every other block is the inside of a function behind prelude.h, which declares what pages take for granted; what stands
between "..." and "...", or "..." alone, is left out. A page names a block that cannot be compiled:
"<!-- not compiled: WHY -->" on the line before.
Doxygen's filter is held to what it promises: a line of a header stays the line that it was. Prints TAP.
"""

import importlib.util
import os
import pathlib
import re
import subprocess
import sys

C = re.compile(r"(;|\{)\s*(/\*.*\*/\s*)?$|^\s*#include|^\{ \.", re.M)
COMMAND = re.compile(r"^(\$ |scripts/|jitframe |meson |ninja |cc )")
NOT_COMPILED = re.compile(r"^<!-- not compiled: .+ -->$")
PRINTS = re.compile(r"\bprints\b.*:$")


def indented(lines):
    """Blocks of four blanks behind an empty line: (number of the first line, the lines without the four blanks)."""
    at = 1
    while at < len(lines):
        if not (lines[at].startswith("    ") and (not lines[at - 1].strip() or NOT_COMPILED.match(lines[at - 1]))):
            at += 1
            continue
        end = at
        while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
            end += 1
        block = [line[4:] for line in lines[at:end]]
        while not block[-1].strip():
            block.pop()
        yield at + 1, block
        at = end


def of_page(path):
    """(first line, block, what it has to print or None, whether the page names it as not compiled)"""
    lines = path.read_text(encoding="utf-8").split("\n")
    found = list(indented(lines))
    for index, (number, block) in enumerate(found):
        named = bool(NOT_COMPILED.match(lines[number - 2]))
        prints = None
        if index + 1 < len(found):
            after, output = found[index + 1]
            between = [line for line in lines[number - 1 + len(block):after - 1] if line.strip()]
            if between and len(between) == 1 and PRINTS.search(between[0]):
                prints = output
        yield number, block, prints, named


def of_header(path):
    text = path.read_text(encoding="utf-8")
    for match in re.finditer(r"/\*.*?\*/", text, re.S):
        first = text.count("\n", 0, match.start())
        lines = [re.sub(r"^\s*\* ?", "", line) for line in match.group()[2:-2].split("\n")]
        for number, block in indented(lines):
            yield first + number, block, None, False


def is_c(block):
    return bool(C.search("\n".join(block))) and not COMMAND.match(block[0])


def compile_with(command, source, folder, *more):
    warnings = ["-Wall", "-Wextra", "-Werror", "-Wno-unused", "-Wno-unused-result", "-Wno-missing-field-initializers"]
    done = subprocess.run([*command, *warnings, "-x", "c", "-", *more],
                          cwd=folder, input=source, capture_output=True, text=True, timeout=60, check=False)
    return done.stderr if done.returncode else ""


# What a name means that has two meanings.
MEANT = [
    (r"\bjf_sframe_write\(",
     "struct jf_sframe_counts counts; const struct jf_cfi_function *functions = 0; size_t count = 0;"),
    (r"\bframe->", "const struct jf_walk_frame *frame = 0;"),
    (r"&frame\b|\bframe\.", "struct jf_frame frame = {0};"),
]


def inside(number, block, name):
    """A function of its own, whose lines are those of the page."""
    lines = [line if "/*" in line else re.sub(r"\.\.\.(.*\.\.\.)?", "", line) for line in block]
    meant = next((words for pattern, words in MEANT if re.search(pattern, "\n".join(block))), "")
    top = "\n".join(line for line in lines if line.startswith("#include"))
    body = "\n".join("" if line.startswith("#include") else line for line in lines)
    head = f"static int example_of_line_{number}(void)\n{{\n{meant}\n{{"
    return f'{top}\n{head}\n#line {number} "{name}"\n{body}\n}}\nreturn 0;\n}}\n'


def run_program(command, library, number, block, prints, name, folder):
    binary = folder / f"example_{pathlib.PurePath(name).stem}_{number}"
    source = f'#line {number} "{name}"\n' + "\n".join(block) + "\n"
    libraries = ["-x", "none", library, f"-Wl,-rpath,{library.parent}", "-lpthread"]
    faults = compile_with(command, source, folder, "-o", binary, *libraries)
    if faults:
        return faults
    done = subprocess.run([binary], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    got = (done.stdout + done.stderr).rstrip("\n").split("\n")
    if done.returncode:
        return f"ended with {done.returncode}: {done.stderr}"
    return f"prints {got}, not {prints}" if prints and got != prints else ""


def lines_that_the_filter_moves(root):
    spec = importlib.util.spec_from_file_location("doxygen_filter", root / "docs" / "doxygen" / "filter.py")
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    spec.loader.exec_module(module)
    for path in sorted((root / "include" / "jitframe").glob("*.h")):
        text = path.read_text(encoding="utf-8")
        for number, (before, after) in enumerate(zip(text.split("\n"), module.convert(text).split("\n")), 1):
            if before.startswith(("JF_API ", "struct ", "enum ")) and before.split("/*")[0].rstrip() not in after:
                yield f"{path.name}:{number} is another line behind the filter: {after}"
                break


def main():
    root, library, folder = (pathlib.Path(argument).resolve() for argument in sys.argv[1:4])
    command = [*sys.argv[4:], "-std=gnu11", f"-I{root / 'include'}"]
    prelude = (root / "tests" / "docs" / "prelude.h").read_text(encoding="utf-8")
    os.makedirs(folder, exist_ok=True)
    pages = [*sorted((root / "docs").glob("*.md")), root / "README.md"]
    results = []
    count = 0
    for path in [*pages, *sorted((root / "include" / "jitframe").glob("*.h"))]:
        name = str(path.relative_to(root))
        sources = []
        for number, block, prints, named in (of_page if path.suffix == ".md" else of_header)(path):
            if named or not is_c(block):
                continue
            count += 1
            if re.search(r"\bmain\(", "\n".join(block)):
                results.append((f"{name}:{number} runs",
                                run_program(command, library, number, block, prints, name, folder)))
            else:
                sources.append(inside(number, block, name))
        if sources:
            results.append((f"{name} compiles, {len(sources)} blocks",
                            compile_with(command, prelude + "".join(sources), folder, "-std=gnu2x", "-fsyntax-only")))
    results.append(("the filter keeps lines", "\n".join(lines_that_the_filter_moves(root))))
    results.append(("blocks were found", "" if count > 15 else f"only {count} blocks of C"))
    print(f"1..{len(results)}")
    for number, (title, faults) in enumerate(results, 1):
        print(f"{'not ok' if faults else 'ok'} {number} - {title}")
        for line in faults.splitlines():
            print(f"# {line}")


main()
