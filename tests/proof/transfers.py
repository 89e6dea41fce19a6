# SPDX-License-Identifier: BSD-2-Clause
"""
Theorems about may_goto and tail calls, which Linux defines and the RFC does not: body.h and program_array.h say what
they do.
"""

import bpf
import calls
import machine
import term as T
import theorem

TAIL_CALLS_MAX = 33  # Linux's MAX_TAIL_CALL_CNT


def unchanged(target, subject, given, state, numbers):
    """BPF registers with these numbers, what a callee keeps, and SP."""
    conv = target.conv
    names = {conv["bpf"][number] for number in numbers} | set(calls.kept_names(target)) | {conv["sp"]}
    for name in sorted(names):
        got = calls.register(target, state, name)
        yield given, T.condition("eq", got, T.var(target.qemu_name(name))), f"{name} is kept"


def given_of(target, subject, path, spec):
    return [*theorem.assumed(target, spec), *theorem.of_frame(target, subject), *path.state.conditions]


def outcome(reads, stores=()):
    """What memory_claims() compares with. stores: (address, bytes, value)."""
    memory = machine.State()
    for store in stores:
        memory.store(*store)
    return bpf.Outcome([], memory, reads=list(reads), writes=[(address, size) for address, size, _ in stores])


# ---- may_goto ---------------------------------------------------------------------------------------------------


def count_of_may_goto(target, subject):
    """(address, value) of the count: the lowest bytes of the function's stack."""
    r10 = theorem.registers(target, subject)[bpf.FP]
    address = T.sub(r10, T.const(subject.answer["bpf_stack_bytes"]))
    return address, machine.State().load(address, 8)


def may_goto_straight(target, subject, path):
    """A path that calls nothing: the count is 0 and the branch is taken, or there is one less."""
    address, count = count_of_may_goto(target, subject)
    state = path.state
    given = given_of(target, subject, path, outcome([(address, 8)]))
    none, last = (T.condition("eq", count, T.const(value)) for value in (0, 1))
    if path.target is T.const(subject.taken):
        yield given, none, "goes to the target with a count of 0 alone"
        stores = ()
    else:
        yield given, T.const(int(path.target is T.const(subject.end)), 1), "goes on behind the instruction"
        yield given, T.invert(T.binary("or", none, last)), "goes on with a count over 1 alone"
        stores = [(address, 8, T.sub(count, T.const(1)))]
    yield from unchanged(target, subject, given, state, range(10))
    yield from theorem.memory_claims(target, given, state, outcome([(address, 8)], stores))


def may_goto_at_stub(target, subject, path):
    address, count = count_of_may_goto(target, subject)
    state = path.state
    given = given_of(target, subject, path, outcome([(address, 8)]))
    yield given, T.condition("eq", count, T.const(1)), "asks for the time with a count of 1 alone"
    got = calls.register(target, state, target.conv["bpf"][bpf.AX])
    yield given, T.condition("eq", got, address), "the stub gets the count's address"
    for number, name in enumerate(target.conv["bpf"][: bpf.FP]):
        got = calls.register(target, state, name)
        yield given, T.condition("eq", got, T.var(target.qemu_name(name))), f"R{number} comes to the stub"
    known = calls.return_address(target, state).op == "const"
    yield given, T.const(int(known), 1), "the place to return to is known"
    yield from theorem.memory_claims(target, given, state, outcome([(address, 8)]))


def may_goto_at_end(target, subject, path):
    """Behind the stub, which keeps every BPF register but AX (R18)."""
    address, _ = count_of_may_goto(target, subject)
    state = path.state
    given = given_of(target, subject, path, outcome([(address, 8)]))
    yield given, T.const(int(path.target is T.const(subject.end)), 1), "goes on behind the instruction"
    yield from unchanged(target, subject, given, state, range(10))
    new = T.var(f"returned {target.conv['bpf'][bpf.AX]}")
    yield from theorem.memory_claims(target, given, state, outcome([(address, 8)], [(address, 8, new)]))


# ---- tail calls -------------------------------------------------------------------------------------------------


def count_of_tail_calls(target, subject):
    """The address of the count, and what is read to find the address."""
    conv, fp = target.conv, T.var(target.qemu_name(target.conv["fp"]))
    if conv["count"] and target.regs[conv["count"]]["is_kept"]:
        return T.var(target.qemu_name(conv["count"])), []
    slot = T.add(fp, T.const(subject.answer["count_off"] - conv["fp_off"]))
    if conv["count_by_value"]:
        return slot, []
    return machine.State().load(slot, 8), [(slot, 8)]


def tail_call(target, subject, path):
    """
    Goes on behind the instruction if and only if the index is beyond the array, the slot is empty, or 33 tail calls have
    been made. Else: the count is one further, and the code goes to the slot's program behind what the frames share.
    What the jump leaves in SP and callee-saved registers: rule R16, which is proved of frames.
    """
    conv, state, start = target.conv, path.state, machine.State()
    regs = theorem.registers(target, subject)
    array, index = regs[2], T.zext(T.extract(regs[3], 31, 0), 64)
    bound = T.add(array, T.const(conv["max_entries_off"]))
    slot = T.add(T.add(array, T.const(conv["entries_off"])), T.binary("shl", index, T.const(3)))
    place, way = count_of_tail_calls(target, subject)
    count, entry = start.load(place, 8), start.load(slot, 8)
    most = T.const(TAIL_CALLS_MAX)
    used_up = T.condition("eq", count, T.const(TAIL_CALLS_MAX - conv["count_start"]))
    beyond = T.invert(T.condition("ult", index, T.zext(start.load(bound, 4), 64)))
    stays = T.binary("or", T.binary("or", beyond, used_up), T.condition("eq", entry, T.const(0)))
    frame = (T.var(target.qemu_name(conv["sp"])), subject.frame_bytes)
    reads = [(bound, 4), (slot, 8), (place, 8), *way, frame]
    # Counts go from 0 up or from the maximum down, and never beyond.
    # A program begins where an instruction can.
    given = [*given_of(target, subject, path, outcome([*reads, (entry, 16)])), calls.aligned(entry, target.insn_align)]
    given = [*given, T.invert(T.condition("ult", most, count))]
    if path.target is T.const(subject.end):
        yield given, stays, "makes the tail call when it is possible"
        yield from unchanged(target, subject, given, state, range(6, 10))
        yield from theorem.memory_claims(target, given, state, outcome(reads))
        return
    yield given, T.invert(stays), "makes the tail call only when it is possible"
    goes = T.condition("eq", path.target, T.add(entry, T.const(subject.answer["tail_entry"])))
    yield given, goes, "goes to the tail entry of the slot's program"
    context = calls.register(target, state, conv["bpf"][1])
    yield given, T.condition("eq", context, regs[1]), "R1 goes along"
    step = T.const(1 if conv["count_start"] == 0 else -1)
    yield from theorem.memory_claims(target, given, state, outcome(reads, [(place, 8, T.add(count, step))]))


def claims(target, subject):
    """Yields (path, assumptions, claim, what)."""
    if subject.is_tail_call:
        parts = ((tail_call, subject.paths),)
    else:
        parts = ((may_goto_straight, subject.straight), (may_goto_at_stub, subject.to_callee), (may_goto_at_end, subject.paths))
    for about, paths in parts:
        for path in paths:
            for claim in about(target, subject, path):
                yield path, *claim
