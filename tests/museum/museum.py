#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The museum of real faults: museum.py JITFRAME CLANG OBJDUMP PAGE FOLDER MACHINE=TRIPLE...

Each .s beside this file is a fault that was in a JIT: in the head what happened, then machine code before and after the
fix (`.if before`). Clang assembles both, and `jitframe check` looks at both as at what a user has: at a dump as bpftool
prints dumps ("form: kernel"), or at an object file ("form: object"). What the checker makes of them is held to what the
head says, and the page's table and exhibits to what came out. FOLDER is for what is assembled. Prints TAP, and the table. With JF_REBASE=1 in the
environment the page is written anew.

    finds: yes            the rule is broken at the label `fault`
    finds: no, because    all rules hold
"""

import difflib
import json
import os
import pathlib
import re
import struct
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
INDENT = '    '
KEYS = {'commit', 'title', 'of', 'machine', 'form', 'options', 'rule', 'finds', 'what', 'fix'}
SYMTAB, RELA, FUNCTION = 2, 4, 2  # of ELF


# ---- one exhibit -------------------------------------------------------------------------------------------------

class Exhibit:
    def __init__(self, path):
        self.name, self.head, self.lines = path.stem, {'options': '', 'form': 'kernel'}, []
        key = None
        for line in path.read_text().splitlines():
            first, more = re.match(r'# (\w+): (.*)$', line), re.match(r'#   (.*)$', line)
            if self.lines or not line.startswith('#'):
                self.lines.append(line)
            elif first and first[1] in KEYS:
                key = first[1]
                self.head[key] = first[2]
            elif more:
                self.head[key] += ' ' + more[1]
        missing = KEYS - set(self.head)
        assert not missing, f'{path.name}: no {", ".join(sorted(missing))}'

    def assembly(self, with_fault):
        """Comments begin otherwise on each machine; and each label of an object file is taken for a function."""
        lines = [line for line in self.lines if with_fault or line != 'fault:']
        return '\n'.join(re.sub(r'\s*# .*', '', line) for line in lines) + '\n'

    def shown(self, before):
        """The instructions and labels of one of the two."""
        lines, wanted = [], True
        for line in self.lines:
            word = ' '.join(line.split())
            if word.startswith('.if'):
                wanted = before
            elif word == '.else':
                wanted = not before
            elif word == '.endif':
                wanted = True
            elif wanted and word and word != 'fault:' and not word.startswith(('.', '#')):
                code, _, comment = word.partition(' # ')
                code = code if code.endswith(':') else '  ' + code
                lines.append(f'{code:<36}# {comment}' if comment else code)
        return lines


# ---- its machine code --------------------------------------------------------------------------------------------

class Tools:
    def __init__(self, jitframe, clang, objdump, triples):
        self.jitframe, self.clang, self.objdump = jitframe, clang, objdump
        self.triples = dict(pair.split('=') for pair in triples)

    def assemble(self, exhibit, before, path, with_fault):
        source = path.with_suffix('.s')
        source.write_text(exhibit.assembly(with_fault))
        # What a linker may still shorten has no distances yet.
        flags = ['--target=' + self.triples[exhibit.head['machine']], '-mno-relax', '-Wno-unused-command-line-argument']
        subprocess.run([self.clang, *flags, f'-Wa,-defsym,before={int(before)}', '-c', source, '-o', path], check=True)

    def disassemble(self, path):
        """{offset: text}"""
        done = subprocess.run([self.objdump, '-d', path], capture_output=True, text=True, check=True)
        lines = re.findall(r'^ *([0-9a-f]+):[ 0-9a-f]+\t(.*)$', done.stdout, re.M)
        return {int(off, 16): ' '.join(text.split(' <')[0].split()) for off, text in lines}


def code_of(path):
    """.text of an object file, and its symbols: {name: (offset, size, whether it is a function)}."""
    data = path.read_bytes()
    start, = struct.unpack_from('<Q', data, 0x28)
    size, count, names = struct.unpack_from('<HHH', data, 0x3a)
    sections = [struct.unpack_from('<IIQQQQIIQQ', data, start + i * size) for i in range(count)]

    def string(section, off):
        return data[sections[section][4] + off:].split(b'\0')[0].decode()

    text = next(i for i, section in enumerate(sections) if string(names, section[0]) == '.text')
    assert not any(section[1] == RELA and section[7] == text for section in sections), f'{path}: left to a linker'
    symbols = {}
    for section in sections:
        for at in range(section[4], section[4] + section[5], 24) if section[1] == SYMTAB else ():
            name, info, _, index, value, length = struct.unpack_from('<IBBHQQ', data, at)
            if index == text and name:
                symbols[string(section[6], name)] = (value, length, info & 15 == FUNCTION)
    return data[sections[text][4]:sections[text][4] + sections[text][5]], symbols


def dump(texts, code, functions):
    """As `bpftool prog dump jited ... opcodes` prints it."""
    out = []
    for name, (start, size) in functions:
        offs = [off for off in sorted(texts) if start <= off < start + size] + [start + size]
        out.append(f'bpf_prog_{sum(name.encode()) * 0x9e3779b97f4a7c15 & 0xffffffffffffffff:016x}_{name}:')
        for off, end in zip(offs, offs[1:]):
            out += [f'{off - start:4x}:\t{texts[off]}', '\t' + ' '.join(f'{byte:02x}' for byte in code[off:end])]
        out.append('')
    return '\n'.join(out)


# ---- what the checker makes of it --------------------------------------------------------------------------------

class Checked:
    def __init__(self, exhibit, before, tools, folder):
        obj = folder / f"{exhibit.name}-{'before' if before else 'after'}.o"
        tools.assemble(exhibit, before, obj, with_fault=True)
        code, symbols = code_of(obj)
        functions = sorted(((name, place[:2]) for name, place in symbols.items() if place[2]), key=lambda f: f[1])
        self.fault = symbols.get('fault', (None,))[0]
        self.starts = {name: place[0] for name, place in functions}
        if exhibit.head['form'] == 'kernel':
            file = obj.with_suffix('.txt')
            file.write_text(dump(tools.disassemble(obj), code, functions))
        else:
            file = obj
            tools.assemble(exhibit, before, obj, with_fault=False)
        arguments = ['check', '--brief', file.name, *exhibit.head['options'].split()]
        self.command = ' '.join(['jitframe', *arguments])
        self.run = [tools.jitframe, *arguments]
        self.folder = folder
        self.done = subprocess.run(self.run, capture_output=True, text=True, cwd=folder, check=False)

    def places(self, rule):
        """Where findings of that rule are, as offsets in all of the code."""
        answer = subprocess.run([*self.run, '--json'], capture_output=True, text=True, cwd=self.folder, check=False)
        found = set()
        for function in json.loads(answer.stdout)['functions'] if answer.returncode == 1 else ():
            start = self.starts[next(name for name in self.starts if function['name'].endswith(name))]
            found |= {start + finding['offset'] for finding in function['findings']
                      if f"R{finding['rule']}" == rule and finding['verdict'] == 'broken' and finding['offset'] is not None}
        return found


def judge(exhibit, before, after):
    """What is wrong; None: nothing."""
    rule = exhibit.head['rule']
    if after.done.returncode:
        return f'after the fix: {after.done.stdout}{after.done.stderr}'
    if exhibit.head['finds'].startswith('no, because'):
        return f'is found, and the head says no: {before.done.stdout}' if before.done.returncode else None
    if exhibit.head['finds'] != 'yes' or before.fault is None:
        return '"finds" is neither "yes" nor "no, because ...", or there is no label `fault`'
    if before.fault not in before.places(rule):
        return f'{rule} is not found at +{before.fault:#x}: {before.done.stdout}{before.done.stderr}'
    return None


# ---- the page ----------------------------------------------------------------------------------------------------

def title(exhibit):
    return f"{exhibit.head['commit']}: {exhibit.head['title']}"


def table(exhibits):
    rows = ['| fault | what went wrong | rule | the checker finds it |', '|---|---|---|---|']
    for exhibit in exhibits:
        anchor = re.sub(r'[^a-z0-9 -]', '', title(exhibit).lower()).replace(' ', '-')
        rows.append('| ' + ' | '.join([f"[{exhibit.head['commit']}](#{anchor})", exhibit.head['title'],
                                       exhibit.head['rule'], exhibit.head['finds']]) + ' |')
    return rows


def section(exhibit, before):
    lines = [f'## {title(exhibit)}', '', f"*{exhibit.head['of']}*", '', exhibit.head['what'], '']
    diff = list(difflib.unified_diff(exhibit.shown(True), exhibit.shown(False), n=4, lineterm=''))[3:]
    if diff:
        lines += [f"Before (-) and after (+) the fix, for {exhibit.head['machine']}:", '',
                  *(INDENT + ('...' if line.startswith('@@') else line) for line in diff), '', 'The code before the fix:', '']
    lines += [f'{INDENT}$ {before.command}', *((INDENT + line).rstrip() for line in before.done.stdout.splitlines())]
    if before.done.returncode:
        lines.append(f'{INDENT}(exit status {before.done.returncode})')
    return [*lines, '', 'The fix: ' + exhibit.head['fix'], '']


def wrapped(text):
    """Prose of at most 120 columns."""
    lines = []
    for line in text.split('\n'):
        while len(line) > 120 and not line.startswith(('|', INDENT, '#')):
            cut = line.rfind(' ', 0, 121)
            lines.append(line[:cut])
            line = line[cut + 1:]
        lines.append(line)
    return '\n'.join(lines)


def make_page(old, exhibits, sections):
    """What is written by hand, up to the first exhibit, with the table as it is now; and the exhibits."""
    lines, at = [], None
    for line in old.split('\n## ')[0].rstrip().split('\n'):
        if line.startswith('|'):
            at = len(lines) if at is None else at
        else:
            lines.append(line)
    lines[at:at] = table(exhibits)
    text = '\n'.join(line for one in sections for line in one).rstrip()
    return '\n'.join(lines) + '\n\n' + wrapped(text) + '\n'


def main():
    tools, page, folder = Tools(*sys.argv[1:4], sys.argv[6:]), pathlib.Path(sys.argv[4]), pathlib.Path(sys.argv[5])
    folder.mkdir(parents=True, exist_ok=True)
    exhibits = [Exhibit(path) for path in sorted(HERE.glob('*.s'))]
    failed, sections = False, []
    print(f'1..{len(exhibits) + 1}')
    for number, exhibit in enumerate(exhibits, 1):
        before, after = (Checked(exhibit, stage, tools, folder) for stage in (True, False))
        wrong = judge(exhibit, before, after)
        failed |= bool(wrong)
        print(f"{'not ' if wrong else ''}ok {number} - {title(exhibit)}")
        if wrong:
            print('\n'.join('# ' + line for line in wrong.splitlines()))
        sections.append(section(exhibit, before))
    old = page.read_text()
    text = make_page(old, exhibits, sections)
    if os.environ.get('JF_REBASE') == '1':
        page.write_text(text)
        old = text
    print(f"{'' if text == old else 'not '}ok {len(exhibits) + 1} - {page.name} says what came out")
    if text != old:
        print('# JF_REBASE=1 in the environment writes the page anew; look at what it changed')
        differ = difflib.unified_diff(old.split('\n'), text.split('\n'), 'wanted', 'got', lineterm='', n=1)
        print('\n'.join('# ' + line for line in differ))
    print('\n'.join('# ' + row for row in table(exhibits)))
    return failed or text != old


if __name__ == '__main__':
    sys.exit(main())
