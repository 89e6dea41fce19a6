#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Theorems about each opcode of every convention that runs, and what theorems lean on, as TAP: test.py ROOT BUILDS"""

import json
import pathlib
import random
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True  # the source tree stays as it is

try:
    import z3
except ImportError:
    print("1..1\nok 1 - proofs # SKIP this Python has no Z3: install python3-z3")
    sys.exit(0)

import bpf
import catalogue
import jobs
import meaning
import planted
import programs
import prove
import states
import target as targets
import term as T
import theorem
from bpf import Insn

OUT = 0x50000000  # witness.c's
LDDW = bpf.LD | 0x18
VALUES = (0, 1, 2, 31, 32, 63, 64, 1 << 31, 1 << 32, (1 << 31) - 1, 1 << 63, (1 << 63) - 1, (1 << 64) - 1, (1 << 32) - 1)


# ---- terms and Z3 ---------------------------------------------------------------------------------------------


def operations_mean_what_z3_says(_):
    """Each operation on integers, as Prediction and constants use it, against the solver's."""
    rng, solver = random.Random(1), meaning.Solver(z3)
    for op, row in {**T.OPS, **T.CONDITIONS}.items():
        for width in (8, 32, 64):
            for _ in range(40):
                count = 1 if op == "not" else 2
                values = [rng.choice((*VALUES, rng.getrandbits(64))) & T.mask(width) for _ in range(count)]
                got = T._FOLD[op](width, width, *values)
                theirs = row[1](z3, *(z3.BitVecVal(value, width) for value in values))
                if z3.is_bool(theirs):
                    theirs = z3.If(theirs, z3.BitVecVal(1, 1), z3.BitVecVal(0, 1))
                if z3.simplify(theirs).as_long() != got:
                    yield f"{op} of {width} bits and {values}: {got:#x}, not {z3.simplify(theirs)}"
    del solver


def random_pair(rng, depth, width):
    """A term, and what Z3 is told to make without terms in between: term.py simplifies as it builds."""
    if depth == 0:
        if not rng.randrange(3):
            value = rng.choice(VALUES) & T.mask(width)
            return T.const(value, width), z3.BitVecVal(value, width)
        name = rng.choice("xyz")
        return T.extract(T.var(name), width - 1, 0), z3.Extract(width - 1, 0, z3.BitVec(name, 64))
    (a, za), (b, zb) = random_pair(rng, depth - 1, width), random_pair(rng, depth - 1, width)
    half, kind = width // 2, rng.randrange(9)
    low, zlow = T.extract(a, half - 1, 0), z3.Extract(half - 1, 0, za)
    if kind == 0:
        op = rng.choice(list(T.CONDITIONS))
        return T.ite(T.condition(op, a, b), a, T.invert(b)), z3.If(T.CONDITIONS[op][1](z3, za, zb), za, ~zb)
    if kind == 1:
        return T.zext(low, width), z3.ZeroExt(half, zlow)
    if kind == 2:
        return T.sext(low, width), z3.SignExt(half, zlow)
    if kind == 3:
        return T.concat(low, T.extract(b, width - 1, half)), z3.Concat(zlow, z3.Extract(width - 1, half, zb))
    if kind == 4:
        op, count = rng.choice(("shl", "lshr", "ashr")), rng.randrange(width)
        return T.binary(op, a, T.const(count, width)), T.OPS[op][1](z3, za, z3.BitVecVal(count, width))
    if kind == 5:
        value = rng.choice(VALUES) & T.mask(width)
        op = rng.choice(("eq", "ult"))
        test, ztest = T.condition(op, a, T.const(value, width)), T.CONDITIONS[op][1](z3, za, z3.BitVecVal(value, width))
        return T.zext(test, width), z3.If(ztest, z3.BitVecVal(1, width), z3.BitVecVal(0, width))
    op = rng.choice([op for op in T.OPS if op != "not"])
    return T.binary(op, a, b), T.OPS[op][1](z3, za, zb)


def terms_mean_what_z3_says(_):
    """Terms are simplified where they are made: evaluated, and translated, they have the value of what was asked for."""
    rng = random.Random(2)
    for _ in range(1500):
        term, expression = random_pair(rng, 3, rng.choice((16, 32, 64)))
        values = {name: rng.choice((*VALUES, rng.getrandbits(64))) for name in "xyz"}
        pairs = [(z3.BitVec(name, 64), z3.BitVecVal(value, 64)) for name, value in values.items()]
        want = z3.simplify(z3.substitute(expression, *pairs)).as_long()
        translated = z3.simplify(z3.substitute(meaning.Solver(z3).translate(term), *pairs)).as_long()
        known = {T.var("x"): T.const(values["x"])}
        got = meaning.compiled([term, meaning.substitute(term, known)])(values, None)
        if {*got, translated} != {want}:
            yield f"{term} of {values}: {got}, {translated}, not {want:#x}"


def lemmas_hold(_):
    """On narrow operands by the solver; the statements are the same for every width but for `narrow`."""
    for op in theorem.HARD:
        a, b = T.var("a", 6), T.var("b", 6)
        for name, fact in theorem.lemmas([T.binary(op, a, b)]):
            solver = z3.Solver()
            solver.add(meaning.Solver(z3).translate(fact) == 0)
            if solver.check() != z3.unsat:
                yield f"{name} of {op}: {fact}"
    rng = random.Random(3)
    for op, extend in (("udiv", T.zext), ("urem", T.zext), ("sdiv", T.sext), ("srem", T.sext)):
        a, b = T.var("a", 32), T.var("b", 32)
        facts = [fact for _, fact in theorem.lemmas([T.binary(op, extend(a, 64), extend(b, 64))])]
        run = meaning.compiled(facts)
        for _ in range(2000):
            values = {name: rng.choice((*VALUES, rng.getrandbits(64))) & T.mask(32) for name in "ab"}
            if not all(run(values, None)):
                yield f"narrow of {op}: {values}"


# ---- the table of the RFC ---------------------------------------------------------------------------------------


def asking(insn, wide, regs):
    """A program that sets registers, has the instruction, and tells all of them and whether it jumped."""

    def lddw(dst, value):
        return [Insn(LDDW, dst, imm=value & T.mask(32)), Insn(0, imm=value >> 32)]

    load, store = bpf.LDX | bpf.MEM | 0x18, bpf.STX | bpf.MEM | 0x18
    program = [Insn(bpf.ST | bpf.MEM | 0x18, 10, 0, -96, 0)]
    for reg in range(10):
        program += lddw(reg, regs[reg])
    program += lddw(insn.dst, wide) if wide is not None else [insn]
    program.append(Insn(bpf.ST | bpf.MEM | 0x18, 10, 0, -96, 1))  # what a jump skips
    program += [Insn(store, 10, reg, -8 * (reg + 1)) for reg in range(10)]
    program += lddw(1, OUT)
    for word, off in [(reg, -8 * (reg + 1)) for reg in range(10)] + [(10, -96)]:
        program += [Insn(load, 2, 10, off), Insn(store, 1, 2, 8 * word)]
    return "".join(one.hex() for one in [*program, programs.EXIT])


# A convention that has everything.
ANY = {
    "caps": catalogue.CAP_ARENA | catalogue.CAP_OUT_ARGS, "skips_dead_uppers": False, "r10_private": None, "bpf": [None] * 12,
}  # fmt: skip


def questions(rng):
    """(instruction, wide, registers) whose accesses hit the memory that is there."""
    for subject in catalogue.subjects(ANY, True):
        insn = subject.insn
        if subject.is_transfer or subject.wide_of or subject.before or subject.skipped or insn == programs.EXIT:
            continue  # what is around them is not the interpreter's
        if insn.off == bpf.PER_CPU or not {bpf.FP, bpf.ARGUMENTS}.isdisjoint((insn.dst, insn.src)):
            continue
        for _ in range(30):
            regs = [rng.choice((*VALUES, rng.getrandbits(64))) for _ in range(10)]
            arena = T.const(targets.MEMORY)
            if insn.cls in (bpf.LDX, bpf.ST, bpf.STX):
                out = bpf.step(insn, [T.const(0)] * 11, arena)
                is_load = not out.writes
                in_arena = T.split((out.reads + out.writes)[0][0])[1] != T.const(insn.off).args[0]
                base = 8 * rng.randrange(64, 2000) + (0 if in_arena else targets.MEMORY)
                regs[insn.src if is_load else insn.dst] = base
                if rng.randrange(2):
                    word = targets.scatter(base + insn.off + (targets.MEMORY if in_arena else 0))
                    regs[0] = word if insn.dst else regs[0]
            yield insn, subject.wide, regs, bpf.step(insn, [T.const(value) for value in [*regs, 0]], arena, subject.wide, theorem.USER_BASE)


def the_table_agrees_with_the_interpreter(builds):
    """Each opcode, from random registers: bpf.py against tests/random."""
    asked = list(questions(random.Random(4)))
    run = subprocess.run(
        [builds / "native/tests/proof/jf-prove-witness"], input="\n".join(asking(*one[:3]) for one in asked) + "\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    answers = run.stdout.splitlines()
    if len(answers) != len(asked):
        yield f"{len(answers)} answers to {len(asked)} questions: {run.stderr}"
    for (insn, _, regs, out), answer in zip(asked, answers):
        words = [int(word, 16) for word in answer.split()]
        want = [meaning.compiled([value])({}, states.initial_byte)[0] for value in out.regs[:10]]
        jumps = out.taken is not None and T.is_const(out.taken, 1)
        memory = {}
        for address, size, value in out.memory.stores:
            number = meaning.compiled([value])({}, states.initial_byte)[0]
            for i in range(size):
                at, shift = address.args[0] + i & ~7, 8 * (address.args[0] + i & 7)
                word = memory.get(at, targets.scatter(at))
                memory[at] = word & ~(0xFF << shift) | (number >> 8 * i & 0xFF) << shift
        memory = {at: word for at, word in memory.items() if word != targets.scatter(at)}
        got = dict(zip(words[11::2], words[12::2]))
        if (words[:10], words[10], got) != (want, int(not jumps), memory):
            yield f"{insn} of {[hex(reg) for reg in regs]}: {answer}, not {[hex(reg) for reg in want]} {not jumps} {memory}"


# ---- what is proved ---------------------------------------------------------------------------------------------


def key_of_row(opcode, fields):
    """Of a row of docs/isa.md, or of an instruction: opcode, and fields where these say what it is."""
    numbers = {name: int(value, 0) for name, value in re.findall(r"(dst|off|imm|src) (-?[0-9]\w*)", fields)}
    return int(opcode, 16), *(numbers.get(name, 0) for name in ("off", "imm", "src", "dst"))


def key_of(insn):
    code = insn.opcode & 0xF0
    if insn.cls in (bpf.ALU32, bpf.ALU64):
        is_cast = insn.opcode == bpf.ALU64 | bpf.MOV | bpf.X and insn.off == 1
        return insn.opcode, insn.off, insn.imm if is_cast or code == bpf.END else 0, 0, 0
    if insn.opcode in (LDDW, bpf.JMP | bpf.CALL):
        return insn.opcode, 0, bpf.TAIL_CALL if programs.Subject("", insn).is_tail_call else 0, insn.src, 0
    is_atomic = insn.cls == bpf.STX and insn.opcode & 0xE0 in (bpf.ATOMIC, bpf.ARENA_ATOMIC)
    args = [reg if reg == bpf.ARGUMENTS else 0 for reg in (insn.src, insn.dst)]
    return insn.opcode, 0, insn.imm if is_atomic else 0, *args


def every_row_of_the_page_has_a_theorem(root):
    proved = {key_of(subject.insn) for subject in catalogue.subjects(ANY, True)}
    page = (root / "docs/isa.md").read_text()
    rows = re.findall(r"^\| `(\w\w)` \| (.*?) \| (.*?) \|(.*)\|$", page, re.M)
    count = 0
    for opcode, text, fields, cells in rows:
        if "yes" not in cells:
            continue
        count += 1
        if key_of_row(opcode, fields) not in proved:
            yield f"{opcode} {text} ({fields}) has no theorem"
    if count < 150:
        yield f"only {count} rows of docs/isa.md are looked at"


def conventions(builds):
    """ARCH/NAME of one convention of each architecture: the last that runs, as code of others differs by frames."""
    run = subprocess.run([builds / "native/tools/jitframe", "archs", "--json"], capture_output=True, text=True, check=True)
    for arch in json.loads(run.stdout)["archs"]:
        yield [f"{arch['name']}/{conv['name']}" for conv in arch["conventions"] if "run" in conv["supports"]][-1]


def missing(builds, name):
    """Why nothing can be proved about a convention here; None."""
    arch = name.split("/")[0]
    if not targets.facts(arch):
        return f"there is no tests/arch/{arch}/proof.py"
    target = targets.Target(builds, name)
    target.close()
    try:
        target.guest()
        version = target.version()
    except (targets.Failed, FileNotFoundError) as error:
        return str(error)
    return None if target.facts.QEMU in version else f"{version}: what is known is QEMU {target.facts.QEMU}"


def each_opcode_is_proved(builds, name):
    settings = jobs.Settings(str(builds), True, prove.FAST["states"], prove.FAST["limit"])
    with tempfile.TemporaryDirectory() as folder:
        cache = jobs.Cache(pathlib.Path(folder) / "theorems.jsonl")
        records = jobs.run([name], settings, cache, None, lambda text: None)[name]
    yield from prove.failures(name, records)
    proved = sum(record["verdict"] == "proved" for record in records)
    if proved < 190:
        yield f"only {proved} theorems are proved"


def planted_faults_are_refuted(builds, name):
    target = targets.Target(builds, name)
    results = list(planted.refute(target))
    target.close()
    for fault, about, result in results:
        if result.verdict != "refuted":
            yield f"{fault}: {result.verdict}: {about}: {result.detail}"
    if len(results) < 9:
        yield f"only {len(results)} faults"


# ---- TAP --------------------------------------------------------------------------------------------------------


def tests(root, builds):
    """Yields (name, why it is skipped or None, function of nothing)."""
    yield "operations mean what Z3 says", None, lambda: operations_mean_what_z3_says(builds)
    yield "terms mean what Z3 says", None, lambda: terms_mean_what_z3_says(builds)
    yield "lemmas hold", None, lambda: lemmas_hold(builds)
    yield "the table agrees with the interpreter", None, lambda: the_table_agrees_with_the_interpreter(builds)
    yield "every row of docs/isa.md has a theorem", None, lambda: every_row_of_the_page_has_a_theorem(root)
    for name in conventions(builds):
        why = missing(builds, name)
        yield f"{name}: each opcode is proved", why, lambda name=name: each_opcode_is_proved(builds, name)
        yield f"{name}: planted faults are refuted", why, lambda name=name: planted_faults_are_refuted(builds, name)


def main(root, builds):
    listed = list(tests(pathlib.Path(root), pathlib.Path(builds).resolve()))
    print(f"1..{len(listed)}", flush=True)
    for number, (name, why, test) in enumerate(listed, 1):
        faults = [] if why else list(test())
        print(f"{'not ok' if faults else 'ok'} {number} - {name}" + (f" # SKIP {why}" if why else ""), flush=True)
        for fault in faults[:20]:
            print("# " + str(fault).replace("\n", "\n# "), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
