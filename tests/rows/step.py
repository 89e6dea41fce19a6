#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Runs functions whose rows `jitframe rows verify` calls untrue, instruction by instruction under QEMU, and compares
what the table says with what the processor has. The table is readelf's reading, and what is true was read from the
processor when the function was entered: nothing here asks jitframe but for the list and for registers' names.

    step.py JITFRAME READELF EMULATOR FILE PROGRAM [ARGUMENT...]

FILE is a library that PROGRAM loads at its start; PROGRAM is linked at fixed addresses, and has a symbol main. EMULATOR
is QEMU's for programs, perhaps with options. Prints a line for each untrue function that is called, and counts at the
end:

    confirmed      the table gives something else than the processor has; where the verifier says what is true, it is
    contradicted   the table gives what the processor has, or the verifier's own reading is wrong
    not reached    the function is not called, or leaves by another way

Exit status 1: a function is contradicted; 2: the program does not run, or does not load FILE. scripts/rows-step makes
programs and calls this for each library."""

import json
import os
import re
import subprocess
import sys
import tempfile

from remote import Machine, Remote, loaded_at

STEPS_MAX = 3000  # of one call
CALLS_MAX = 4  # of one function
NOT_CALLED = 'it was not called'


def tables(readelf, path):
    """By the start of each function: [(address, CFA, {column: rule})]."""
    text = subprocess.run([readelf, '--debug-dump=frames-interp', path], capture_output=True, text=True,
                          check=False).stdout
    found, columns, rows, defaults, cie = {}, [], None, {}, None
    for line in text.splitlines():
        words = line.split()
        match = re.search(r'FDE cie=([0-9a-f]+) pc=([0-9a-f]+)\.\.([0-9a-f]+)', line)
        if match:
            start, end = (int(word, 16) for word in match.groups()[1:])
            default = defaults.get(match.group(1))
            rows = [(start,) + default[1:]] if default else []
            found[start] = end, rows
        elif ' CIE ' in line:
            rows, cie = None, words[0]
        elif words[:2] == ['LOC', 'CFA']:
            columns = words[2:]
        elif len(words) > 1 and re.fullmatch('[0-9a-f]{16}', words[0]):
            row = (int(words[0], 16), words[1], dict(zip(columns, words[2:])))
            if rows is None:
                defaults[cie] = row
            else:
                rows.append(row)
    return found


class Call:
    """One call of a function, from its first instruction on."""

    def __init__(self, session, function, table):
        self.session, self.function = session, function
        self.remote, self.machine, self.base = session.remote, session.machine, session.base
        base = self.base
        self.start = base + int(function['start'], 16)
        self.end, self.rows = base + table[0], table[1]
        text = function['text']
        leads = re.search(r' leads to \+0x([0-9a-f]+)', text)
        self.lie = self.start + (int(leads.group(1), 16) if leads else function['code_off'])
        origin = re.search(r' reached from \+0x([0-9a-f]+)', text)
        self.origin = self.start + int(origin.group(1), 16) if origin else None
        self.truth = self.at_entry()

    def row_at(self, address):
        rows = [row for row in self.rows if self.base + row[0] <= address]
        return rows[-1] if rows else None

    def at_entry(self):
        """What the caller has. Code that begins in the middle of a function: what the first row says of it."""
        machine = self.machine
        cfa = machine.read(machine.sp) + machine.entry['cfa_sp_off']
        truth = {name: machine.read(name) for name in machine.kept}
        truth['CFA'] = cfa
        truth['ra'] = self.remote.word(cfa - machine.entry['cfa_sp_off']) if machine.entry['ra_pushed'] else \
            machine.read(machine.entry['ra'])
        row = self.row_at(self.start)
        said = self.claim(row) if row else {}
        if said and said['CFA'][0] != cfa:
            truth.update({name: value for name, (value, _) in said.items()})
        return truth

    def claim(self, row):
        """What the row says: {name: (value, the slot's address or None)}."""
        machine = self.machine
        match = re.fullmatch(r'(\w+)([+-]\d+)', row[1])
        if not match or not machine.name_of(match.group(1)):
            return {}
        cfa = machine.read(machine.name_of(match.group(1))) + int(match.group(2))
        said = {'CFA': (cfa, None)}
        rules = {'ra' if column == 'ra' else machine.name_of(column): rule for column, rule in row[2].items()}
        for name in machine.kept + ['ra']:
            rule = rules.get(name, 'u')
            slot = re.fullmatch(r'c([+-]\d+)', rule)
            if slot:
                said[name] = self.remote.word(cfa + int(slot.group(1))), cfa + int(slot.group(1))
            elif rule in ('u', 's') and (name != 'ra' or not machine.entry['ra_pushed']):
                said[name] = machine.read(machine.entry['ra'] if name == 'ra' else name), None
        return said

    def is_derived_right(self):
        """Whether the verifier's own reading is what the processor has; None: it gives no place to look at."""
        machine, text = self.machine, self.function.get('is', '')
        ways = ((r'CFA=(\w+)([+-]\d+)', lambda m: ('CFA', machine.read(m[1]) + int(m[2]))),
                (r'(\w+)@(-?\d+)', lambda m: (m[1], self.remote.word(self.truth['CFA'] + int(m[2])))),
                (r'(\w+) unchanged', lambda m: (m[1], machine.read(m[1]))))
        for pattern, read in ways:
            match = re.fullmatch(pattern, text)
            if match:
                name, value = read(match)
                return value == self.truth['ra' if name == machine.entry['ra'] else name]
        return None

    def judge(self):
        """At the instruction. returns: (verdict, what is to be said)."""
        row = self.row_at(self.lie)
        said = self.claim(row) if row else {}
        if not said:
            return 'not reached', 'readelf shows no such row'
        wrong = [f'{name}: the table gives {value or 0:#x}, it is {self.truth[name]:#x}'
                 for name, (value, _) in sorted(said.items()) if value != self.truth[name]]
        bottom = self.machine.read(self.machine.sp) - self.machine.entry['red_zone_bytes']
        wrong = wrong or [f'{name}: its slot is {bottom - slot} bytes below what signals leave alone'
                          for name, (_, slot) in sorted(said.items()) if slot and slot < bottom]
        if not wrong:
            return 'contradicted', 'the table is right here'
        if self.is_derived_right() is False:
            return 'contradicted', f"the table is wrong here, and the verifier is: {self.function['is']}; {wrong[0]}"
        return 'confirmed', ', '.join(wrong[:2])

    def step(self):
        """One instruction; a call is run to its end. returns: whether this call of the function goes on."""
        machine, remote = self.machine, self.remote
        stack = machine.read(machine.sp)
        if not remote.ask('s').startswith('T'):
            return False
        if self.start <= machine.pc() < self.end:
            return True
        pushed = machine.entry['ra_pushed']
        back = remote.word(machine.read(machine.sp)) if pushed else machine.read(machine.entry['ra'])
        if not self.start <= (back or 0) < self.end or machine.read(machine.sp) > stack:
            return False
        remote.ask(f'Z0,{back:x},{machine.insn_align}')
        while True:
            if machine.pc() - self.base in self.session.waiting:
                self.session.visit(machine.pc() - self.base)
            elif not remote.ask('c').startswith('T'):
                return False
            if machine.pc() == back and machine.read(machine.sp) >= stack:
                break
            if machine.pc() == back and not remote.ask('s').startswith('T'):
                return False
        remote.ask(f'z0,{back:x},{machine.insn_align}')
        return True

    def follow(self):
        result, before = ('not reached', 'it returned by another way'), None
        for _ in range(STEPS_MAX):
            pc = self.machine.pc()
            if pc == self.lie and (self.origin is None or before == self.origin):
                result = self.judge()
                if result[0] == 'contradicted' and 'calls, and has a row' in self.function['text']:
                    self.remote.ask('s')  # the row is in force as long as the call lasts
                    result = self.judge()
                if result[0] == 'confirmed':
                    break
            before = pc
            if not self.step():
                break
        return result


class Session:
    """A run of the program, from its main() to its end."""

    def __init__(self, remote, machine, untrue, found, base):
        self.remote, self.machine, self.untrue, self.found, self.base = remote, machine, untrue, found, base
        self.results = {start: ('not reached', NOT_CALLED) for start in untrue}
        self.calls = dict.fromkeys(untrue, 0)
        self.waiting = set()  # for a call
        for start in untrue:
            self.wait_for(start)

    def wait_for(self, start):
        self.waiting.add(start)
        self.remote.ask(f'Z0,{self.base + start:x},{self.machine.insn_align}')

    def visit(self, start):
        """The function is at its first instruction. It may call others that are waited for."""
        self.waiting.discard(start)
        self.remote.ask(f'z0,{self.base + start:x},{self.machine.insn_align}')
        result = Call(self, self.untrue[start], self.found[start]).follow()
        self.calls[start] += 1
        if self.results[start][0] != 'confirmed' and (result[0] != 'not reached' or
                                                      self.results[start][0] == 'not reached'):
            self.results[start] = result
        if self.results[start][0] != 'confirmed' and self.calls[start] < CALLS_MAX:
            # A breakpoint where the processor stands would be met again.
            if self.machine.pc() == self.base + start:
                self.remote.ask('s')
            self.wait_for(start)

    def run(self):
        while self.remote.ask('c').startswith('T'):
            while self.machine.pc() - self.base in self.waiting:
                self.visit(self.machine.pc() - self.base)
        return self.results


def main():
    jitframe, readelf, emulator, file, program = sys.argv[1:6]
    done = subprocess.run([jitframe, 'rows', 'verify', '--json', file], capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    archs = json.loads(subprocess.run([jitframe, 'archs', '--json'], capture_output=True, text=True, check=True).stdout)
    arch = [arch for arch in archs['archs'] if arch['name'] == answer['target']][0]
    untrue = {int(function['start'], 16): function
              for function in answer['functions'] if function['verdict'] == 'untrue'}
    words = emulator.split()
    with tempfile.TemporaryDirectory() as folder, open(os.path.join(folder, 'output'), 'wb') as output:
        path = os.path.join(folder, 'gdb')
        words[1:1] = ['-g', path]
        with subprocess.Popen(words + sys.argv[5:], stdout=output, stderr=output) as process:
            try:
                remote = Remote(path, arch['platform']['endian'])
                machine = Machine(remote, arch)
                base = loaded_at(remote, machine, readelf, program, file)
                results = Session(remote, machine, untrue, tables(readelf, file), base).run()
            finally:
                process.kill()
    for start, (verdict, text) in sorted(results.items()):
        function = untrue[start]
        if text != NOT_CALLED:
            print(f"{verdict}: {function['name'] or function['start']}+{function['code_off']:#x}: {text}")
    counts = [sum(result == wanted for result, _ in results.values())
              for wanted in ('confirmed', 'contradicted', 'not reached')]
    print('{}: {} untrue functions: {} confirmed, {} contradicted, {} not reached'.format(file, len(results), *counts))
    return counts[1] > 0


if __name__ == '__main__':
    sys.exit(main())
