# SPDX-License-Identifier: BSD-2-Clause
"""A client of GDB's remote protocol, as QEMU's user emulation speaks it, and the processor behind it."""

import os
import re
import socket
import subprocess
import sys
import time

DT_DEBUG = 21
PIECE = 0x800  # of a description, in one answer


def give_up(text):
    """Nothing is learnt of any function."""
    print(text, file=sys.stderr)
    sys.exit(2)


class Remote:
    """What to ask is the protocol's own text."""

    def __init__(self, path, endian):
        self.socket, self.buffer, self.endian = socket.socket(socket.AF_UNIX), b'', endian
        self.socket.settimeout(60)
        for _ in range(200):
            if self.socket.connect_ex(path) == 0:
                return
            time.sleep(0.05)
        give_up('the emulator does not listen')

    def ask(self, text):
        """returns: the answer; W when the program or the connection has come to an end."""
        data = text.encode()
        try:
            self.socket.sendall(b'$' + data + b'#%02x' % (sum(data) & 0xff))
        except ConnectionError:
            return 'W'
        while True:
            match = re.search(rb'\$([^#]*)#..', self.buffer, re.DOTALL)
            if match:
                self.buffer = self.buffer[match.end():]
                self.socket.sendall(b'+')
                return match.group(1).decode('latin-1')
            try:
                received = self.socket.recv(65536)
            except (ConnectionError, TimeoutError):
                received = b''
            if not received:
                return 'W'
            self.buffer += received

    def number(self, text):
        return int.from_bytes(bytes.fromhex(text), self.endian)

    def word(self, address):
        """Eight bytes of memory; None: there is none."""
        raw = self.ask(f'm{address & 0xffffffffffffffff:x},8')
        return self.number(raw) if re.fullmatch('[0-9a-f]{16}', raw) else None

    def document(self, name):
        text = ''
        while True:
            piece = self.ask(f'qXfer:features:read:{name}:{len(text):x},{PIECE:x}')
            text += piece[1:]
            if piece[:1] != 'm':
                return text


class Machine:
    """Registers by jitframe's names. The description that QEMU sends numbers them: a register goes by its name there,
    or by its place among those of its class."""

    def __init__(self, remote, arch):
        self.remote, self.entry, self.insn_align = remote, arch['entry'], max(arch['insn_align'], 1)
        remote.ask('qSupported:qXfer:features:read+')
        described, places, number = {}, {}, 0
        for document in re.findall(r'href="([^"]*)"', remote.document('target.xml')):
            text = remote.document(document)
            feature = re.search('<feature name="([^"]*)"', text).group(1)
            for register in re.findall('<reg ([^>]*)>', text):
                fields = dict(re.findall(r'(\w+)="([^"]*)"', register))
                number = int(fields.get('regnum', number))
                described.setdefault(fields['name'], number)
                places.setdefault('floating_point' if 'fpu' in feature else 'integer', []).append(fields['name'])
                number += 1
        self.aliases, self.numbers = {}, dict(described)
        for register in arch['registers']:
            among = places.get(register['class'], [])
            there = register['name'] if register['name'] in described else \
                among[register['hw']] if register['hw'] < len(among) else None
            if there:
                self.numbers[register['name']] = described[there]
                self.aliases.update({there: register['name'], f"r{register['dwarf']}": register['name']})
        self.aliases.update({register['name']: register['name'] for register in arch['registers']})
        self.sp = self.entry['sp']
        self.counter = 'pc' if 'pc' in described else self.entry['ra']
        # Of what a callee keeps, the registers that the description has.
        self.kept = [register['name'] for register in arch['registers']
                     if register['callee_saved'] and register['class'] != 'control' and register['name'] in self.numbers]

    def name_of(self, column):
        """Of a register in readelf's tables; None: a register that jitframe does not know."""
        return self.aliases.get(column)

    def read(self, name):
        """The low eight bytes."""
        return self.remote.number(self.remote.ask(f'p{self.numbers[name]:x}')[:16])

    def pc(self):
        """-1: the program has ended."""
        raw = self.remote.ask(f'p{self.numbers[self.counter]:x}')[:16]
        return self.remote.number(raw) if re.fullmatch('[0-9a-f]{16}', raw) else -1


def address_of(readelf, program, section, symbol):
    """Of a section and a symbol."""
    text = subprocess.run([readelf, '-sSW', program], capture_output=True, text=True, check=True).stdout
    places = re.search(rf'\s{re.escape(section)}\s+\S+\s+([0-9a-f]+)', text)
    symbols = re.search(rf'([0-9a-f]{{16}}).*\s{symbol}$', text, re.MULTILINE)
    return int(places.group(1), 16), int(symbols.group(1), 16)


def loaded_at(remote, machine, readelf, program, file):
    """Where the dynamic linker has put a library, when the program's main() begins."""
    dynamic, main = address_of(readelf, program, '.dynamic', 'main')
    remote.ask(f'Z0,{main:x},{machine.insn_align}')
    if not remote.ask('c').startswith('T'):
        give_up(f'{program} does not come to its main()')
    remote.ask(f'z0,{main:x},{machine.insn_align}')
    while remote.word(dynamic) not in (0, DT_DEBUG):
        dynamic += 16
    item = remote.word(remote.word(dynamic + 8) + 8)
    while item:
        name, text = remote.word(item + 8), b''
        while b'\0' not in text:
            text += remote.word(name + len(text)).to_bytes(8, remote.endian)
        if os.path.basename(text.split(b'\0')[0].decode()) in (os.path.basename(file), soname(readelf, file)):
            return remote.word(item)
        item = remote.word(item + 24)
    return give_up(f'{program} does not load {file}')


def soname(readelf, file):
    text = subprocess.run([readelf, '-dW', file], capture_output=True, text=True, check=True).stdout
    match = re.search(r'soname: \[(.*)\]', text)
    return match.group(1) if match else None
