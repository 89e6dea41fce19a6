#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The page of `jitframe check --html` as C: embed.py OUTPUT FOLDER SCRIPT...

FOLDER/page.html names what goes where: {{style}} is frame.css and page.css, {{script}} are the SCRIPTs one after
the other. {{script-hash}} and {{style-hash}} say to the browser that nothing else may run or be used as style. At
{{data}} and {{frames}} the page is cut: the command writes these. OUTPUT gets the parts as strings, and frame.css.
"""

import base64
import hashlib
import pathlib
import re
import sys


def text_of(path):
    """Without the comments at the file's beginning: these are for those who read the source."""
    text = path.read_text()
    return re.sub(r"\A(\s*(/\*.*?\*/|<!--.*?-->))+\s*", "", text, flags=re.S)


def content_hash(text):
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def c_string(name, text):
    numbers = [f"{byte}," for byte in text.encode()] + ["0"]
    lines = [" ".join(numbers[at:at + 24]) for at in range(0, len(numbers), 24)]
    return f"const char {name}[] = {{\n" + "\n".join(lines) + "\n};\n"


def main(output, folder, *scripts):
    folder = pathlib.Path(folder)
    frame_style = text_of(folder / "frame.css")
    style = "\n" + frame_style + text_of(folder / "page.css")
    script = '\n"use strict";\n(() => {\n' + "\n".join(text_of(pathlib.Path(name)) for name in scripts) + "})();\n"
    page = text_of(folder / "page.html")
    for name, text in {
        "{{style}}": style, "{{script}}": script,
        "{{style-hash}}": content_hash(style), "{{script-hash}}": content_hash(script),
    }.items():
        if page.count(name) != 1:
            sys.exit(f"embed.py: page.html has to have {name} once")
        page = page.replace(name, text)
    head, rest = page.split("{{data}}")
    middle, tail = rest.split("{{frames}}")
    parts = {"page_head": head, "page_middle": middle, "page_tail": tail, "page_frame_style": frame_style}
    pathlib.Path(output).write_text(
        '#include "page_text.h"\n' + "".join(c_string(name, text) for name, text in parts.items())
    )


main(*sys.argv[1:])
