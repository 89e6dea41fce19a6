#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The programs of `scripts/kernel-jit build` against kernels that ran: tests/size has what verifiers handed to JITs, and
what the JITs made of that. With the same places and the same processor every byte has to be the same. A capture that
build/kernel-jit has no JIT for, or one of another release, with patches, or with another configuration, is skipped.
captured.py SOURCE_ROOT
"""
import pathlib
import re
import struct
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tools" / "kernel-jit"))
sys.dont_write_bytecode = True
import build  # noqa: E402

CALL, WIDE, TAIL_CALL = 0x85, 0x18, 0xF5
HELPER, FUNCTION, ADDRESS = 0, 1, 4
STACK_MAX = 512


class Insn:
    def __init__(self, data):
        self.opcode, self.regs, self.off, self.imm = struct.unpack("<BBhi", data)
        self.dst, self.src = self.regs & 15, self.regs >> 4

    def is_call_of(self, kind):
        return self.opcode == CALL and self.src == kind

    def callee(self, at):
        """Where the function begins that the instruction names, or None. The kernel shows the distance as `off`."""
        if self.is_call_of(FUNCTION):
            return at + 1 + self.off
        if self.opcode == WIDE and self.src == ADDRESS:
            return at + 1 + self.imm
        return None

    def digits(self, imm=None, opcode=None, off=None):
        fields = (self.opcode if opcode is None else opcode, self.regs, self.off if off is None else off)
        return struct.pack("<BBhI", *fields, (self.imm if imm is None else imm) & 0xFFFFFFFF).hex()


class Program:
    def __init__(self, name):
        self.name, self.insns, self.codes = name, [], []

    def functions(self):
        starts = sorted({0} | {insn.callee(at) for at, insn in enumerate(self.insns) if insn.callee(at) is not None})
        return [(start, end) for start, end in zip(starts, starts[1:] + [len(self.insns)])]


def read_capture(path):
    programs, about = [], {"option": []}
    for line in path.read_text().splitlines():
        key, _, value = line.partition(" ")
        if key == "program":
            programs.append(Program(value))
        elif key == "bpf":
            data = bytes.fromhex(value)
            programs[-1].insns = [Insn(data[at : at + 8]) for at in range(0, len(data), 8)]
        elif key == "at":
            programs[-1].codes.append([int(value, 16), None])
        elif key == "code":
            programs[-1].codes[-1][1] = bytes.fromhex(value)
        elif key == "option":
            about["option"].append(value)
        elif not key.startswith("#"):
            about[key] = value
    return about, programs


# ---- what the capture does not say ----------------------------------------------------------------------------


def reaches_tail_call(program, functions, index, seen):
    """What the verifier tells the JIT of a function."""
    if index in seen:
        return False
    seen.add(index)
    start, end = functions[index]
    for at in range(start, end):
        insn = program.insns[at]
        if insn.opcode == TAIL_CALL or (insn.is_call_of(HELPER) and insn.imm == 12):
            return True
        to = insn.callee(at)
        if to is not None and reaches_tail_call(program, functions, index_of(functions, to), seen):
            return True
    return False


def index_of(functions, start):
    return next(index for index, (first, _) in enumerate(functions) if first == start)


def stack_of(insns):
    """Bytes below R10 that loads and stores name, or sums with a copy of R10; the verifier may know of more."""
    deepest, copies = 0, set()
    for insn in insns:
        if insn.opcode == 0xBF:
            (copies.add if insn.src == 10 else copies.discard)(insn.dst)
        elif insn.opcode == 0x07 and insn.dst in copies:
            deepest = max(deepest, -insn.imm)
        elif (insn.opcode & 7 == 1 and insn.src == 10) or (insn.opcode & 7 in (2, 3) and insn.dst == 10):
            deepest = max(deepest, -insn.off)
    return deepest


# ---- the JIT ----------------------------------------------------------------------------------------------------


class Jit:
    def __init__(self, arch):
        self.folder = ROOT / "build" / "kernel-jit" / arch
        self.conf = build.conf_of(arch)
        text = subprocess.run([self.folder / "jit", "--about"], capture_output=True, text=True, check=True).stdout
        self.about = dict(line.partition(" ")[::2] for line in text.splitlines())
        self.call_base = int(self.about["call_base"], 16)

    def features(self, options):
        """The processor of the capture: a machine of QEMU, with or without what an option of compiling goes with."""
        for (word,) in self.conf.all("captured"):
            yield word
        for what, name in self.conf.all("gives"):
            if any(name == feature for feature, _ in self.conf.all("feature")):
                yield name if what.replace("_", "-") in options else f"-{name}"

    def line(self, insn, at, functions, call_base):
        to = insn.callee(at)
        if to is not None:
            return insn.digits(imm=index_of(functions, to), off=0)
        if insn.is_call_of(HELPER) and insn.imm == 12:
            return insn.digits(imm=0, opcode=TAIL_CALL)
        if insn.opcode == CALL and str(insn.imm) not in self.about["inlines"].split():
            return insn.digits(imm=insn.imm + call_base - self.call_base)
        return insn.digits()

    def compile(self, program, options, call_base, stacks):
        functions = program.functions()
        lines = [f"feature {name}" for name in self.features(options)]
        for index, (start, end) in enumerate(functions):
            tail = " tail-calls" if reaches_tail_call(program, functions, index, set()) else ""
            # The kernel tells JITs of the verifier's zero extensions in programs of one function alone.
            zext = " zext" if self.about["zext"] == "1" and len(functions) == 1 else ""
            lines.append(f"function f{index} at={program.codes[index][0]:x} stack={stacks[index]}{tail}{zext}")
            lines += [f"insn {self.line(program.insns[at], at, functions, call_base)}" for at in range(start, end)]
        done = subprocess.run([self.folder / "jit"], input="\n".join(lines) + "\n", capture_output=True, text=True)
        if done.returncode:
            return f"{done.stdout[-200:]}{done.stderr[-200:]}"
        return [bytes.fromhex(line[5:]) for line in done.stdout.splitlines() if line.startswith("code ")]

    def made_up(self):
        """Low halves of addresses that the kernel had elsewhere."""
        for line in (self.folder / "made-up").read_text().splitlines():
            yield struct.pack("<I", int(line.split()[0], 16) & 0xFFFFFFFF)


def moves_per_cpu(insns):
    """Adds the offset of the processor's memory, from where the kernel has it."""
    return any(insn.opcode == 0xBF and insn.off == -1 for insn in insns)


def is_same(jit, insns, got, wanted):
    if len(got) != len(wanted):
        return False
    for word in jit.made_up():
        for match in re.finditer(re.escape(word), got):
            place = slice(match.start(), match.end())
            wanted = wanted[: place.start] + got[place] + wanted[place.stop :]
    # Some JITs put the address of a kernel's variable together by arithmetic: only the size can be compared.
    return got == wanted or moves_per_cpu(insns)


def differences(jit, about, program):
    functions = program.functions()
    if len(functions) != len(program.codes):
        return f"it has {len(functions)} functions, and code of {len(program.codes)}"
    known = [stack_of(program.insns[start:end]) for start, end in functions]
    wrong = "nothing was compiled"
    # Where the verifier knew of a deeper stack in one of the functions: the depth that gives the same code.
    for index, depth in [(0, known[0])] + [(i, d) for i in range(len(known)) for d in range(8, STACK_MAX + 1, 8)]:
        stacks = known[:index] + [depth] + known[index + 1 :]
        codes = jit.compile(program, about["option"], int(about["call-base"], 16), stacks)
        if isinstance(codes, str):
            return codes
        bad = []
        for i, (start, end) in enumerate(functions):
            if not is_same(jit, program.insns[start:end], codes[i], program.codes[i][1]):
                bad.append(i)
        if not bad:
            return None
        if (index, depth) == (0, known[0]):
            wrong = f"functions {bad} have other bytes"
    return wrong


def why_not(jit, release):
    """Why the JIT may make other code than the kernel's; nothing where it may not."""
    tree = jit.about["tree"]
    if re.split(r"[.-]", release)[:2] != re.split(r"[.-]", tree)[:2]:
        return f"the capture is of Linux {release}, the JIT of {tree}"
    if tree.endswith("-patched"):
        return f"the JIT is of Linux {tree}"
    if jit.about["config"].split() != build.configure(jit.conf, {})[1]:
        return "the JIT has another configuration than Debian's kernels"
    return None


def main():
    captures = sorted((ROOT / "tests" / "size").glob("*.txt"))
    print(f"1..{len(captures)}")
    for number, path in enumerate(captures, 1):
        about, programs = read_capture(path)
        arch = about["target"].split("/")[0]
        title = f"{number} - {path.stem}"
        if not (ROOT / "build" / "kernel-jit" / arch / "jit").exists():
            print(f"ok {title} # SKIP there is no build/kernel-jit/{arch}/jit: scripts/kernel-jit build makes it")
            continue
        jit = Jit(arch)
        reason = why_not(jit, about["kernel"].split()[0])
        if reason:
            print(f"ok {title} # SKIP {reason}")
            continue
        wrong = {program.name: differences(jit, about, program) for program in programs}
        wrong = {name: text for name, text in wrong.items() if text}
        print(f"{'not ' if wrong else ''}ok {title}: {len(programs)} programs")
        for name, text in wrong.items():
            print(f"# {name}: {text}")


main()
