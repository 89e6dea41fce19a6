#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Reads the facts in the object of offsets.c and writes them for the assembler: offsets.py OBJECT HEADER"""

import pathlib
import re
import sys

FACT = re.compile(rb"=> (\w+)\0+(\d{4})")


def main(from_object, header):
    facts = FACT.findall(pathlib.Path(from_object).read_bytes())
    if not facts:
        sys.exit(f"offsets.py: {from_object} has no facts: was it compiled to something else than an object?")
    lines = ["/* SPDX-License-Identifier: BSD-2-Clause */", "/* Made by offsets.py. */"]
    lines += [f"#define {name.decode()} {int(value)}" for name, value in facts]
    pathlib.Path(header).write_text("\n".join(lines) + "\n", encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
