# SPDX-License-Identifier: BSD-2-Clause
"""One program of a selftest: what the checker says of the JIT's code, and what the code gives when it runs."""

import concurrent.futures
import dataclasses
import json
import re
import subprocess
import sys

import programs

sys.path.insert(0, str(programs.HERE.parent.parent / "scripts"))
import selftest_tags  # noqa: E402

SECONDS = 60  # far more than anything takes: other processes may keep the machine busy
# What a row comes to. BAD alone makes a table red.
GOOD, BAD, UNSUPPORTED, UNJUDGED = "good", "bad", "not supported", "not judged"
# What a program of scripts/kernel-jit says of a function that its JIT refuses, and what is no refusal but a fault.
REFUSED = "the JIT takes no function"
FAULT = re.compile(r"the JIT uses what is not there|the JIT does not end|/jit(?:-run)?: (?:ended by signal|exit status)")
BY_A_THROW = ("boundary", "callback")
NO_EXCEPTIONS = "the JIT has no exceptions"
THROWN = "came back to bpf_throw()"  # of a program that goes on to one with a boundary, by a tail call
FAILED = 1  # jitframe's exit status for a run that went wrong; that of input that it does not take is 2


@dataclasses.dataclass
class Row:
    program: str
    expected: int | None
    got: int | None = None
    why_not: str = ""  # why there is no result, or no code
    registers: int | None = None  # how many were looked at; nothing: it did not run
    lost: list[str] = dataclasses.field(default_factory=list)
    findings: list[dict] = dataclasses.field(default_factory=list)  # of rules that are broken
    undecided: list[dict] = dataclasses.field(default_factory=list)
    functions: int = 0
    state: str = GOOD

    def level(self):
        """How far the program came: 2 with a result, 1 with verdicts alone."""
        return 0 if self.state in (UNSUPPORTED, UNJUDGED) or not self.functions else 1 + (self.got is not None)

    def rules(self):
        return sorted({finding["rule"] for finding in self.findings})

    def is_wrong(self):
        return self.got is not None and self.expected is not None and not selftest_tags.agrees(self.got, self.expected)


class Command:
    """`jitframe` with a JIT. about: what the JIT says of itself, by the first word of each line."""

    def __init__(self, jitframe, jit, about):
        self.jitframe, self.jit, self.about = jitframe, jit, about

    def has(self, what):
        return self.about[what] == "1"

    def ask(self, verb, path, *words):
        """returns: the JSON, or nothing; the exit status, nothing after too long a time; what was said."""
        # Without private stacks a kernel takes the machine's stack for the same programs.
        words = [word for word in words if word != "--private-stack" or self.has("private_stack")]
        words = [self.jitframe, verb, path, *words, "--jit", self.jit, "--json"]
        try:
            done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return None, None, f"over {SECONDS} seconds"
        try:
            return json.loads(done.stdout), done.returncode, done.stderr
        except ValueError:
            return None, done.returncode, done.stderr


def sentence(said):
    """The first thing that a command said, without the names of command, object and JIT."""
    lines = [line for line in said.strip().splitlines() if " no exceptions: " not in line and " describes Linux " not in line]
    return re.sub(r"^jitframe: (?:\S+(?:\.o|/jit|/jit-run): )?", "", lines[0]) if lines else "no message"


def check(command, path, options):
    """Program -> its functions, with the checker's findings, of an object; without the programs that are refused."""
    made, _, _ = command.ask("check", path, *options)
    found = {}
    for function in made["functions"] if made else []:
        found.setdefault(function["program"], []).append(function)
    return found


def check_alone(command, program, row):
    """A program that check() has nothing of. returns: its functions, or nothing with the reason in the row."""
    made, status, said = command.ask("check", program.path, program.name, *program.options)
    if made and made["functions"]:
        return made["functions"]
    row.why_not = sentence(said)
    if status is None or status < 0 or FAULT.search(said):
        row.state = BAD
    else:
        # What jitframe itself refuses never came to the JIT.
        row.state = UNSUPPORTED if REFUSED in said else UNJUDGED
    return []


def take_verdicts(functions, row):
    row.functions = len(functions)
    for function in functions:
        for finding in function["findings"]:
            kept = row.findings if finding["verdict"] == "broken" else row.undecided
            kept.append({"function": function["name"], **finding})


def run(command, program, row):
    words = ["--check-registers", *program.options, *program.run_options]
    made, status, said = command.ask("run", program.path, program.name, *words)
    if made and made.get("result"):
        row.got = int(made["result"]["r0"], 16)
        registers = made.get("registers", {})
        row.registers = registers.get("checked", 0)
        row.lost = [register["name"] for register in registers.get("list", [])]
    else:
        # Code that crashes, does not end, or throws what nobody catches is wrong. What was not started, and what the
        # runner says it does not have, has no result.
        wrong = status is None or status < 0 or (made is not None and status == FAILED)
        row.state, row.why_not = (BAD, sentence(said)) if wrong else (row.state, f"not run: {sentence(said)}")
        if wrong and THROWN in said and not command.has("exceptions"):
            row.state, row.why_not = UNSUPPORTED, NO_EXCEPTIONS


def judge(command, program, functions, runs):
    """functions: what check() has of the program."""
    row = Row(program.title, program.expected)
    functions = functions or check_alone(command, program, row)
    if not functions:
        return row
    if not command.has("exceptions") and any(function["spec"]["role"] in BY_A_THROW for function in functions):
        row.state, row.why_not = UNSUPPORTED, NO_EXCEPTIONS
        return row
    take_verdicts(functions, row)
    if runs and program.expected is not None:
        run(command, program, row)
    if row.findings or row.lost or row.is_wrong():
        row.state = BAD
    return row


def judge_all(command, wanted, jobs, runs=True):
    """The rows of all programs: each object is checked once; with `runs` each program runs, by itself."""
    objects = {program.path: program.options for program in wanted}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        checked = dict(zip(objects, pool.map(lambda path: check(command, path, objects[path]), objects)))
        return list(pool.map(lambda one: judge(command, one, checked[one.path].get(one.name, []), runs), wanted))


def mark_worse(rows, others, who):
    """A program that comes less far than in the other rows, which `who` gave, is bad."""
    levels = {}
    for row in others:
        levels.setdefault(row.program, []).append(row.level())
    for row in rows:
        level = levels[row.program].pop(0) if levels.get(row.program) else 0
        if row.level() < level and row.state != BAD:
            row.state, row.why_not = BAD, f"{who} {'runs' if level == 2 else 'has code of'} it: {row.why_not}"
