#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The functions of a capture are right, and the checker has nothing to say of them: checked.py JITFRAME CAPTURE FOLDER

Nobody tells the checker what the functions are. Prints TAP.
"""

import pathlib
import subprocess
import sys

CONVENTIONS_ARE_OF = '7.3'  # what the `linux` conventions follow


def main():
    jitframe, capture, folder = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    words = [line.split() for line in capture.read_text().splitlines() if line and not line.startswith('#')]
    facts = {word[0]: word[1] for word in words if word[0] in ('target', 'kernel')}
    codes, program = [], ''
    for word in words:
        if word[0] == 'program':
            program = word[1]
        elif word[0] == 'code':
            codes.append(f'{program}#{len(codes)} {word[1]}')
    print('1..1')
    if not facts['kernel'].startswith(CONVENTIONS_ARE_OF):
        print(f"ok 1 - {len(codes)} functions # SKIP of Linux {facts['kernel']}, whose frames are others")
        return False
    file = folder / (capture.stem + '.hex')
    file.write_text('\n'.join(code.replace('/', '_').replace('#', '_') for code in codes) + '\n')
    done = subprocess.run([jitframe, 'check', '--brief', '--target', facts['target'], file], capture_output=True, text=True,
                          check=False)
    good = done.returncode == 0 and f'{len(codes)} functions: all rules hold' in done.stdout
    print(f"{'' if good else 'not '}ok 1 - {len(codes)} functions of Linux {facts['kernel']}: all rules hold")
    if not good:
        print('\n'.join('# ' + line for line in (done.stdout + done.stderr).splitlines()))
    return not good


sys.exit(main())
