#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Frames whose clean-up pads an unwinder calls, written by hand: pads.py JITFRAME CLANG OBJDUMP FOLDER ARCH=TRIPLE...

tests/arch/ARCH/pads.s has a function `covered`, whose record is [begin, end) and its pad `pad`, and a function `thrower`, as the
patches for Linux lay out their frames; and faults, one at a time (`fault`). The head says which rule each breaks in which
function. Without a fault all rules hold, in the frame that `jitframe frame` draws. With a fault that rule is broken. The
numbers that an unwinder is told (spill-off, throw-off) are held to the frame as well, right and wrong by 8 and 16. FOLDER
is for what is assembled. Prints TAP.
"""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent / 'museum'))
import museum  # pylint: disable=wrong-import-position

ADDRESS = 0x100000
THROW = 0x20000  # behind the code


class Machine:
    def __init__(self, path, tools, triple, folder):
        self.path, self.tools, self.triple, self.folder = path, tools, triple, folder
        text = path.read_text()
        self.target, = re.findall(r'^# target: (.*)$', text, re.M)
        self.options, = re.findall(r'^# options: (.*)$', text, re.M)
        self.faults = re.findall(r'^# fault (\d+): R(\d+) (\w+): (.*)$', text, re.M)
        self.told = {(function, what): int(off)
                     for what, function, off in re.findall(r'^# (\w+-off): (\w+) (-\d+)$', text, re.M)}

    def arguments(self, function, fault):
        """Bytes of the function, and what is said of it."""
        obj = self.folder / f'{self.path.parent.name}-{fault}.o'
        source = obj.with_suffix('.s')
        source.write_text(re.sub(r'^#.*$', '', self.path.read_text(), flags=re.M))
        subprocess.run([self.tools.clang, f'--target={self.triple}', '-mno-relax', '-Wno-unused-command-line-argument',
                        f'-Wa,-defsym,fault={fault}', '-c', source, '-o', obj], check=True)
        code, symbols = museum.code_of(obj)
        start, size, _ = symbols[function]
        raw = obj.with_suffix('.bin')
        raw.write_bytes(code[start:start + size])
        options = ['--cleanups'] + ['--throws'] * (function == 'thrower')
        if function == 'covered':
            places = [symbols[name][0] - start for name in ('begin', 'end', 'pad')]
            options = ['--cleanup', '{:x}-{:x}:{:x}'.format(*places)]
        throw = ADDRESS + THROW
        return ['check', raw, '--format', 'raw', '--address', f'{ADDRESS + start:x}', '--at',
                f'throw={throw:x}-{throw + 1:x}', '--target', self.target, *self.options.split(), *options]

    def check(self, function, fault=0, more=()):
        """What is broken or undecided, as 'R20', and all that was said."""
        done = subprocess.run([self.tools.jitframe, *self.arguments(function, fault), '--brief', *more],
                              capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            return ['none'], done.stderr
        return re.findall(r'^  (R\d+) +.* (?:broken|not decidable)$', done.stdout, re.M), done.stdout


def cases(machine):
    """(what, whether it is as it is to be, what was said)"""
    for function in ('covered', 'thrower'):
        rules, said = machine.check(function)
        yield f'{function}: all rules hold', not rules, said
    for fault, rule, function, what in machine.faults:
        rules, said = machine.check(function, int(fault))
        yield f'fault {fault}: R{rule}: {what}', f'R{rule}' in rules, said
    for (function, what), off in machine.told.items():
        rules, said = machine.check(function, more=(f'--{what}', str(off)))
        yield f'{function}: --{what} {off}', not rules, said
        for by in (-16, -8, 8, 16):
            rules, said = machine.check(function, more=(f'--{what}', str(off + by)))
            yield f'{function}: --{what} {off + by}: R20', rules == ['R20'], said


def main():
    jitframe, clang, objdump, folder, *triples = sys.argv[1:]
    tools = museum.Tools(jitframe, clang, objdump, triples)
    folder = pathlib.Path(folder)
    folder.mkdir(exist_ok=True)
    number = failed = 0
    for pair in triples:
        arch, triple = pair.split('=')
        path = HERE.parent / 'arch' / arch / 'pads.s'
        if not path.exists():
            number += 1
            print(f'ok {number} - {arch} # SKIP there is no {path.parent.name}/{path.name}')
            continue
        for what, good, said in cases(Machine(path, tools, triple, folder)):
            number += 1
            failed += not good
            print(f"{'' if good else 'not '}ok {number} - {arch}: {what}")
            if not good:
                print(''.join(f'# {line}\n' for line in said.splitlines()), end='')
    print(f'1..{number}')
    return bool(failed)


sys.exit(main())
