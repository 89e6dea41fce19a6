#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Whether every object of an archive says that it has landing pads, and none that it takes a shadow stack.

    notes.py READELF PROPERTY ARCHIVE

A linker gives a program the property when all of its objects have it.
"""

import re
import subprocess
import sys

SHADOW_STACK = {"SHSTK", "GCS"}


def main(readelf, wanted, archive):
    text = subprocess.run([readelf, "-nW", archive], check=True, capture_output=True, text=True).stdout
    objects = re.split(r"^File: ", text, flags=re.MULTILINE)[1:]
    bad = not objects
    for one in objects:
        name = one.split("\n", 1)[0]
        found = set(re.findall(r"\w+", " ".join(re.findall(r"feature: (.*)", one))))
        if wanted not in found or found & SHADOW_STACK:
            print(f"{name}: has {', '.join(sorted(found)) or 'no property'}, not {wanted} alone")
            bad = True
    print(f"{len(objects)} objects")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
