#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
`jitframe compile --jit`, `check --jit` and `run --jit` with a JIT that is none: a script that keeps what it is told, and
answers with our own compiler's code. So no kernel tree is needed. command.py JITFRAME OBJECT [sanitized]
"""
import json
import pathlib
import subprocess
import sys
import tempfile

JITFRAME, OBJECT = sys.argv[1:3]
SANITIZED = "sanitized" in sys.argv[3:]


def ask(*words):
    return json.loads(subprocess.run([JITFRAME, *words, "--json"], capture_output=True, text=True, check=True).stdout)


def calls_directly(arch):
    """Stubs in front of C are our own compiler's alone: code without any can be the same as a tree's."""
    made = ask("compile", OBJECT, "boundary", "--target", f"{arch}/linux")
    return all(function["role"] != "stub" for function in made["programs"][0]["functions"])


# That of this machine, which runs code.
HOST = next((arch["name"] for arch in ask("archs")["archs"] if arch["host"]), None)
LAYOUT = "layout array.max_entries=8 array.ptrs=16 prog.bpf_func=8\n"
ARCH = next(arch["name"] for arch in ask("archs")["archs"] if calls_directly(arch["name"]))

# What the verifier makes of the program `divides`, by kernel/bpf/verifier.c; each instruction behind its meaning.
DIVIDES = """
r0 = 7                       b700000007000000
r1 = 2                       b701000002000000
if r1 == 9 goto the end      1501300009000000
if r1 != 0 goto +2           5501020000000000
w0 ^= w0                     ac00000000000000
goto +1                      0500010000000000
r0 /= r1                     3f10000000000000
if w1 != 0 goto +2           5601020000000000
w0 ^= w0                     ac00000000000000
goto +1                      0500010000000000
w0 /= w1                     3c10000000000000
if r1 == 0 goto +1           1501010000000000
r0 %= r1                     9f10000000000000
if w1 == 0 goto +2           1601020000000000
w0 %= w1                     9c10000000000000
goto +1                      0500010000000000
w0 = w0                      bc00000000000000
ax = r1                      bf1b000000000000
ax += 1                      070b000001000000
if ax > 1 goto +4            250b040001000000
if ax == 0 goto +1           150b010000000000
r0 = 0                       b700000000000000
r0 = -r0                     8700000000000000
goto +1                      0500010000000000
r0 s/= r1                    3f10010000000000
ax = r1                      bf1b000000000000
wax += 1                     040b000001000000
if wax > 1 goto +4           260b040001000000
if wax == 0 goto +1          160b010000000000
w0 = 0                       b400000000000000
w0 = -w0                     8400000000000000
goto +1                      0500010000000000
w0 s/= w1                    3c10010000000000
ax = r1                      bf1b000000000000
ax += 1                      070b000001000000
if ax > 1 goto +3            250b030001000000
if ax == 1 goto +3           150b030001000000
w0 = 0                       b400000000000000
goto +1                      0500010000000000
r0 s%= r1                    9f10010000000000
ax = r1                      bf1b000000000000
wax += 1                     040b000001000000
if wax > 1 goto +3           260b030001000000
if wax == 1 goto +4          160b040001000000
w0 = 0                       b400000000000000
goto +1                      0500010000000000
w0 s%= w1                    9c10010000000000
goto +1                      0500010000000000
w0 = w0                      bc00000000000000
r0 = -r0                     8700000000000000
w0 = 0                       b400000000000000
exit                         9500000000000000
"""
# The count is below the function's own 8 bytes.
COUNTS = """
the count                    7a0af0ff00008000
r0 = 0                       b700000000000000
own stack                    7b0af8ff00000000
r0 += 1                      0700000001000000
ax = the count               79abf0ff00000000
if ax == 0 goto over         150b030000000000
ax -= 1                      170b000001000000
the count = ax               7bbaf0ff00000000
goto back                    0500faff00000000
exit                         9500000000000000
"""

FAKE = """#!{python}
import json, pathlib, subprocess, sys
here = pathlib.Path(__file__).parent
if sys.argv[1:] == ["--about"]:
    print((here / "about").read_text(), end="")
    sys.exit()
told = sys.stdin.read()
(here / "told").write_text(told)
base = next(line.split()[1] for line in told.splitlines() if line.startswith("base "))
answer = here / "answer"
if answer.exists():
    print(answer.read_text(), end="")
    sys.exit(1)
made = subprocess.run(["{jitframe}", "compile", "{object}", (here / "program").read_text(), "--target", "{arch}/linux",
                       "--json", *(["--address", base] if (here / "jit-run").exists() else [])], capture_output=True, text=True, check=True)
for function in json.loads(made.stdout)["programs"][0]["functions"]:
    print("function", function["name"])
    print("address", function["address"].removeprefix("0x"))
    print("code", function["code"])
print("end")
"""


class Jit:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.make("jit", ARCH)
        self.about()

    def make(self, name, arch):
        fake = self.folder / name
        fake.write_text(FAKE.format(python=sys.executable, jitframe=JITFRAME, object=OBJECT, arch=arch))
        fake.chmod(0o755)

    def runs(self, base="60001000", more=""):
        """A JIT of this machine, with addresses of a process."""
        self.make("jit", HOST)
        self.make("jit-run", HOST)
        self.about(arch=HOST)
        self.about(arch=HOST, base=base, more="call_base 70000000\n" + LAYOUT + more)

    def about(self, exceptions=1, tree="7.3.4", arch=ARCH, more="", base="7f0000000000"):
        (self.folder / "about").write_text(
            f"arch {arch}\ntree {tree}\nbase {base}\nexceptions {exceptions}\n{more}"
        )

    def run(self, command, program, *options):
        (self.folder / "program").write_text(program)
        return subprocess.run([JITFRAME, command, OBJECT, program, "--jit", str(self.folder), *options],
                              capture_output=True, text=True)

    def told(self):
        return (self.folder / "told").read_text().splitlines()

    def insns(self):
        return [line.split()[1] for line in self.told() if line.startswith("insn ")]


def wanted(text):
    return [line.split()[-1] for line in text.strip().splitlines()]


def differing(got, want):
    if got == want:
        return None
    return "\n# ".join(["got, wanted:"] + [f"{a} {b}" for a, b in zip(got + [""] * 99, want + [""] * 99) if a != b][:8])


def divisors_are_tested(jit):
    jit.run("compile", "divides", "--hex")
    return differing(jit.insns(), wanted(DIVIDES))


def counted_loops_count_in_the_stack(jit):
    jit.run("compile", "counts", "--hex")
    return differing(jit.insns(), wanted(COUNTS)) or differing([line for line in jit.told() if "stack=16" in line][:1],
                                                               ["function f0:counts stack=16 out-args=0"])


def timed_loops_call_where_the_jit_can(jit):
    jit.about(more="timed_may_goto -64\n")
    jit.run("compile", "counts", "--hex")
    return None if "85000000c0ffffff" in jit.insns() and any("stack=24" in line for line in jit.told()) else jit.told()


def the_verifiers_register_is_the_trees(jit):
    jit.about(more="ax 12\n")
    jit.run("compile", "counts", "--hex")
    return None if "79acf0ff00000000" in jit.insns() and "79abf0ff00000000" not in jit.insns() else jit.told()


def a_helper_that_the_jit_has_in_line_is_no_call(jit):
    def is_leaf(more):
        jit.about(more=more)
        return json.loads(jit.run("check", "asks", "--json").stdout)["functions"][0]["spec"]["leaf"]

    return differing([is_leaf("inlines 8 9\n"), is_leaf("inlines 9\n")], [True, False])


def a_tail_call_is_one_instruction(jit):
    jit.run("compile", "goes", "--hex")
    flags = [line for line in jit.told() if line.startswith("function")]
    return None if "f500000000000000" in jit.insns() and flags[0].endswith(" tail-calls") else jit.told()


def roles_are_flags(jit):
    jit.run("compile", "boundary", "--hex")
    got = [line.split(" ", 2) for line in jit.told() if line.startswith("function")]
    return differing([(name.split(":")[-1], rest.split("out-args=0")[-1]) for _, name, rest in got],
                     [("boundary", " boundary"), ("throws", ""), ("default_callback", " callback")])


def the_same_code_has_no_differences(jit):
    done = jit.run("compile", "boundary", "--diff")
    marked = [line for line in done.stdout.splitlines() if line[:2] in ("| ", "< ", "> ")]
    return None if done.returncode == 0 and not marked and "callback" in done.stdout else done.stdout + done.stderr


def another_code_has_differences(jit):
    made = jit.run("compile", "goes", "--json")
    code = json.loads(made.stdout)["programs"][0]["functions"][0]["code"]
    (jit.folder / "answer").write_text(f"function goes\naddress 1000\ncode {code}{code[:8]}\nend\n")
    (jit.folder / "jit").write_text((jit.folder / "jit").read_text().replace("sys.exit(1)", "sys.exit(0)"))
    done = jit.run("compile", "goes", "--diff")
    return None if done.returncode == 1 and "\n> " in done.stdout else done.stdout + done.stderr


def verdicts_are_about_every_function(jit):
    done = jit.run("check", "boundary", "--json")
    names = [function["name"] for function in json.loads(done.stdout)["functions"]]
    return differing(names, ["boundary", "throws", "default_callback"])


def what_the_jit_lacks_is_said(jit):
    jit.about(exceptions=0, tree="6.12.9")
    text = jit.run("check", "boundary").stderr
    for words in ("describes Linux 7.3, and the JIT is of Linux 6.12.9", "has no exceptions"):
        if words not in text:
            return text
    return None


def a_refusal_is_quoted(jit):
    (jit.folder / "answer").write_text("error the JIT takes no function f0:goes\n")
    done = jit.run("compile", "goes")
    return None if done.returncode == 1 and "the JIT takes no function f0:goes" in done.stderr else done.stderr


def a_wrong_answer_is_refused(jit):
    (jit.folder / "jit").write_text((jit.folder / "jit").read_text().replace("sys.exit(1)", "sys.exit(0)"))
    code = "function a\naddress 1000\ncode 00000000\n"
    for text in ("", "code 00\nend\n", "function a\nfunction b\nend\n", "function a\ncode 0g\nend\n",
                 "function a\ncode 00\ncode 00\nend\n", "function a\naddress x\nend\n", "function a\nend\n",
                 code, code + "fault 4 4\nend\n", code + "fault 0 8\nend\n", code + "sp_adjust x\nend\n",
                 code + "dances\nend\n"):
        (jit.folder / "answer").write_text(text)
        for command in ("compile", "check"):
            done = jit.run(command, "goes")
            if done.returncode != 1 or not done.stderr:
                return f"{command}: {text!r}: {done.returncode}: {done.stderr}"
    return None


def the_json_names_the_tree(jit):
    made = json.loads(jit.run("compile", "goes", "--json").stdout)
    return differing(made["jit"], {"tree": "7.3.4", "exceptions": True})


def wrong_input_is_refused(jit):
    nowhere = subprocess.run([JITFRAME, "compile", OBJECT, "--jit", "/nonexistent"], capture_output=True, text=True)
    diff = subprocess.run([JITFRAME, "compile", OBJECT, "--diff"], capture_output=True, text=True)
    raw = subprocess.run([JITFRAME, "check", str(jit.folder / "about"), "--jit", str(jit.folder)], capture_output=True,
                         text=True)
    jit.about(arch="nothing")
    other = jit.run("compile", "goes")
    jit.about(base="nothing")
    number = jit.run("compile", "goes")
    (jit.folder / "about").write_text("")
    silent = jit.run("compile", "goes")
    for done in (nowhere, diff, raw, other, number, silent):
        if done.returncode != 2 or not done.stderr:
            return f"{done.args}: {done.returncode}: {done.stderr}"
    return None


def result_of(done):
    return json.loads(done.stdout)["result"]["r0"] if done.returncode == 0 else done.stdout + done.stderr


def code_runs_where_it_was_made_for(jit):
    jit.runs()
    ours = subprocess.run([JITFRAME, "run", OBJECT, "divides", "--target", f"{HOST}/linux", "--json"],
                          capture_output=True, text=True)
    done = jit.run("run", "divides", "--json", "--check-registers")
    return differing([result_of(done)], [result_of(ours)]) or differing(
        [json.loads(done.stdout)["jit"]["tree"]], ["7.3.4"]
    )


def a_run_is_refused_by_a_sentence(jit):
    jit.runs()
    (jit.folder / "jit-run").unlink()
    missing = jit.run("run", "divides")
    jit.runs(base="0")
    taken = jit.run("run", "divides")
    jit.runs()
    (jit.folder / "about").write_text((jit.folder / "about").read_text().replace("call_base", "nothing"))
    older = jit.run("run", "divides")
    jit.runs(more="layout array.max_entries=9999 array.ptrs=9999 prog.bpf_func=8\n")
    layout = jit.run("run", "divides")
    jit.runs()
    for done, words in (
        (missing, "no JIT is there"),
        (taken, "something else stands at 0x0"),
        (older, "--about has no call_base or no layout"),
        (layout, "no structure of a kernel has members so far behind its start"),
        (jit.run("run", "divides", "--private-stack"), "no process has the like"),
        (jit.run("run", "divides", "--landing-pads"), "are the JIT's own"),
        (jit.run("run", "divides", "--target", "nothing/linux"), "nothing"),
    ):
        if done.returncode != 2 or words not in done.stderr:
            return f"{done.args}: {done.returncode}: {done.stderr}"
    return None


def words_with_addresses_are_relocated(jit):
    jit.runs(more="relocate 0 1 0\n")
    answers = '''
from pathlib import Path
here = Path(__file__).parent
count = here / "count"
count.write_text(count.read_text() + "x" if count.exists() else "x")
print("function divides\\naddress ffff000060001000\\ncode", "00000000" if count.read_text() == "x" else "01000000")
print("end")
'''
    script = (jit.folder / "jit-run").read_text()
    (jit.folder / "jit-run").write_text(script[: script.index("told = ")] + answers)
    done = jit.run("run", "divides")
    if done.returncode != 1 or "at +0x0 is an address in a form" not in done.stderr:
        return done.stderr
    return None


TESTS = [
    divisors_are_tested,
    counted_loops_count_in_the_stack,
    timed_loops_call_where_the_jit_can,
    the_verifiers_register_is_the_trees,
    a_helper_that_the_jit_has_in_line_is_no_call,
    a_tail_call_is_one_instruction,
    roles_are_flags,
    the_same_code_has_no_differences,
    another_code_has_differences,
    verdicts_are_about_every_function,
    what_the_jit_lacks_is_said,
    a_refusal_is_quoted,
    a_wrong_answer_is_refused,
    the_json_names_the_tree,
    wrong_input_is_refused,
]
PLACED = [
    code_runs_where_it_was_made_for,
    a_run_is_refused_by_a_sentence,
]
RUNS = PLACED + [
    words_with_addresses_are_relocated,
]
TESTS += RUNS


def main():
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        if test in RUNS and not HOST:
            print(f"ok {number} - {test.__name__} # SKIP this machine runs code of no architecture that jitframe has")
            continue
        if test in PLACED and SANITIZED:
            print(f"ok {number} - {test.__name__} # SKIP the sanitizer's own memory is where maps are to be")
            continue
        with tempfile.TemporaryDirectory() as folder:
            wrong = test(Jit(folder))
        print(f"{'not ' if wrong else ''}ok {number} - {test.__name__}")
        if wrong:
            print(f"# {wrong}")


main()
