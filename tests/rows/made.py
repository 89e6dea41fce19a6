#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `jitframe rows make` writes, read by elfutils' libdw and held to the compiler's own table of the same file: at each
place the return address is found in the same way, and the CFA from the same register by the same number. The two may go
by different registers; then both are true.

    made.py JITFRAME FILE OUT"""

import ctypes
import json
import os
import subprocess
import sys

STEP = 8  # bytes of code between the places that are looked at
ELF_C_READ = 1


class Op(ctypes.Structure):
    """Dwarf_Op of libdw.h."""
    _fields_ = [('atom', ctypes.c_uint8), ('number', ctypes.c_uint64), ('number2', ctypes.c_uint64),
                ('offset', ctypes.c_uint64)]


def load():
    elf, dw = ctypes.CDLL('libelf.so.1'), ctypes.CDLL('libdw.so.1')
    ops, size = ctypes.POINTER(ctypes.POINTER(Op)), ctypes.POINTER(ctypes.c_size_t)
    elf.elf_begin.restype = dw.dwarf_getcfi_elf.restype = ctypes.c_void_p
    elf.elf_begin.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_void_p]
    dw.dwarf_getcfi_elf.argtypes = [ctypes.c_void_p]
    dw.dwarf_cfi_addrframe.argtypes = [ctypes.c_void_p, ctypes.c_uint64, ctypes.POINTER(ctypes.c_void_p)]
    dw.dwarf_frame_cfa.argtypes = [ctypes.c_void_p, ops, size]
    dw.dwarf_frame_info.argtypes = [ctypes.c_void_p] * 4
    dw.dwarf_frame_register.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.POINTER(Op), ops, size]
    elf.elf_version(1)
    return elf, dw


def table(elf, dw, path):
    return dw.dwarf_getcfi_elf(elf.elf_begin(os.open(path, os.O_RDONLY), ELF_C_READ, None))


def at(dw, cfi, address):
    """The CFA, a list of (operation, numbers), and how the return address is found; None: there is no row."""
    frame, ops, count, room = ctypes.c_void_p(), ctypes.POINTER(Op)(), ctypes.c_size_t(), (Op * 3)()
    if dw.dwarf_cfi_addrframe(cfi, address, ctypes.byref(frame)):
        return None
    said = []
    dw.dwarf_frame_cfa(frame, ctypes.byref(ops), ctypes.byref(count))
    said.append([(ops[i].atom, ops[i].number, ops[i].number2) for i in range(count.value)])
    column = dw.dwarf_frame_info(frame, None, None, None)
    dw.dwarf_frame_register(frame, column, room, ctypes.byref(ops), ctypes.byref(count))
    said.append((column, [(ops[i].atom, ops[i].number, ops[i].number2) for i in range(count.value)] if ops else None))
    return said


def main():
    jitframe, path, out = sys.argv[1:]
    elf, dw = load()
    subprocess.run([jitframe, 'rows', 'make', path, '-o', out, '--elf'], check=True, stdout=subprocess.DEVNULL)
    answer = subprocess.run([jitframe, 'rows', 'verify', '--json', path], capture_output=True, text=True, check=False)
    starts = sorted(int(function['start'], 16) for function in json.loads(answer.stdout)['functions'])
    theirs, made = table(elf, dw, path), table(elf, dw, out)
    same, without, wrong = 0, 0, []
    for start, end in zip(starts, starts[1:]):
        for address in range(start, end, STEP):
            wanted, got = at(dw, theirs, address), at(dw, made, address)
            if not wanted or not got:
                without += bool(wanted)
            elif wanted[1] != got[1] or (wanted[0] != got[0] and wanted[0][0][:2] == got[0][0][:2]):
                wrong.append(f'{address:#x}: {wanted} by the compiler, {got} as it was made')
            else:
                same += 1
    checks = [('libdw reads the same from both', not wrong, '; '.join(wrong[:3])),
              ('most of the code has rows', same > 1000 and without < same / 20, f'{same} places, and {without} without')]
    print(f'1..{len(checks)}')
    for number, (name, good, text) in enumerate(checks, 1):
        print(f"{'' if good else 'not '}ok {number} - {name}")
        print(f'# {text}')
    return not all(good for _, good, _ in checks)


if __name__ == '__main__':
    sys.exit(main())
