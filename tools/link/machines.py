#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The names that <elf.h> has for machines, as lines of a C table: machines.py OUTPUT CC..."""

import re
import subprocess
import sys

output, *cc = sys.argv[1:]
text = subprocess.run([*cc, "-dM", "-E", "-include", "elf.h", "-x", "c", "/dev/null"], check=True, capture_output=True,
                      text=True).stdout
numbers = {}
for name, number in re.findall(r"^#define (EM_(?!NUM\b)\w+)\s+(0x[0-9a-f]+|\d+)", text, re.M):
    # Of two names for a number the longer one is the newer one.
    if len(name) > len(numbers.get(int(number, 0), "")):
        numbers[int(number, 0)] = name
with open(output, "w", encoding="ascii") as file:
    for number, name in sorted(numbers.items()):
        file.write(f'{{{number}, "{name}"}},\n')
