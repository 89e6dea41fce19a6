#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The table of `scripts/kernel-jit test`, and the faults of `scripts/kernel-jit faults`, with a command that answers what it
is told to: what makes a table red, what is not supported, what is not judged, and how all that is shown. No tree is
needed. table.py SOURCE_ROOT
"""
import json
import pathlib
import sys
import tempfile

ROOT = pathlib.Path(sys.argv[1])
sys.path.insert(0, str(ROOT / "tools" / "kernel-jit"))
sys.dont_write_bytecode = True
import build  # noqa: E402
import judge  # noqa: E402
import programs  # noqa: E402
import table  # noqa: E402

import faults  # noqa: E402

FAKE = """#!{python}
import json, pathlib, sys
answer = json.loads((pathlib.Path(__file__).parent / "answers.json").read_text())[sys.argv[1]]
print(answer["out"] if isinstance(answer["out"], str) else json.dumps(answer["out"]))
print(answer.get("said", ""), file=sys.stderr)
sys.exit(answer.get("status", 0))
"""


def function(name="main", role="main", findings=()):
    return {"name": name, "program": "p", "spec": {"role": role}, "findings": list(findings)}


def finding(rule, text, verdict="broken"):
    return {"rule": rule, "verdict": verdict, "text": text, "offset": 100, "instruction": "move $a1, $zero"}


def checked(*functions):
    return {"out": {"functions": list(functions)}}


def ran(result, lost=(), checked=18):
    names = [{"name": name} for name in lost]
    return {"out": {"result": {"r0": f"{result:#x}"}, "registers": {"checked": checked, "list": names}}, "status": bool(lost)}


def row(check, run=None, expected=None, exceptions=True):
    """The row of one program, by what the command answers."""
    with tempfile.TemporaryDirectory() as folder:
        fake = pathlib.Path(folder) / "jitframe"
        fake.write_text(FAKE.format(python=sys.executable))
        fake.chmod(0o755)
        (fake.parent / "answers.json").write_text(json.dumps({"check": check, "run": run}))
        program = programs.Program(pathlib.Path("x.bpf.o"), "x", "p", expected, [], [])
        about = {"exceptions": str(int(exceptions)), "private_stack": "0"}
        return judge.judge_all(judge.Command(fake, "jits", about), [program], 1)[0]


def same(got, wanted):
    return None if got == wanted else f"{got!r}, not {wanted!r}"


def states(*pairs):
    return same([one.state for one, _ in pairs], [state for _, state in pairs])


BOUNDARY = function("parse", "boundary", [finding(3, "at +0x64 `or` runs in a boundary that has not saved s7, s8"),
                                         finding(3, "at +0x70 `jirl` runs in a boundary that has not saved s7, s8")])


def what_is_red():
    return states(
        (row(checked(function())), judge.GOOD),
        (row(checked(function()), ran(5), 5), judge.GOOD),
        (row(checked(function()), ran(0xFFFFFFFFFFFFFFFF), -1), judge.GOOD),
        (row(checked(function()), ran(6), 5), judge.BAD),
        (row(checked(function()), ran(5, ["s7"]), 5), judge.BAD),
        (row(checked(BOUNDARY)), judge.BAD),
        (row(checked(function(findings=[finding(8, "perhaps", "undecided")]))), judge.GOOD),
        (row(checked(function()), {"out": {}, "said": "jitframe: x.bpf.o: signal 11 at byte 4", "status": 1}, 5), judge.BAD),
        (row(checked(function()), {"out": {}, "said": "jitframe: x.bpf.o: nothing caught a throw", "status": 1}, 5), judge.BAD),
    )


def a_refusal_of_the_jit_is_no_crash_of_the_jit():
    def refused(said):
        return row({"out": {"functions": []}, "said": f"jitframe: jits/jit: {said}", "status": 1})

    return states(
        (refused("the JIT takes no function f0:p"), judge.UNSUPPORTED),
        (refused("ended by signal 11"), judge.BAD),
        (refused("the JIT uses what is not there, at address 6f0000001000"), judge.BAD),
        (refused("the JIT does not end with function f0:p"), judge.BAD),
        (refused("function p: what the verifier puts in makes a jump too far"), judge.UNJUDGED),
    )


def who_comes_less_far_than_before_is_bad():
    refused = {"out": {"functions": []}, "said": "jitframe: jits/jit: the JIT takes no function f0:p", "status": 1}
    not_run = {"out": "", "said": "jitframe: x.bpf.o: the runner has no helper 9", "status": 2}
    good, ran_well = row(checked(function())), row(checked(function()), ran(5), 5)

    def marked(one, other):
        judge.mark_worse([one], [other], "the old JIT")
        return one.state, one.why_not

    return (
        same(marked(row(refused), good), (judge.BAD, "the old JIT has code of it: the JIT takes no function f0:p"))
        or same(marked(row(checked(function()), not_run, 5), ran_well),
                (judge.BAD, "the old JIT runs it: not run: the runner has no helper 9"))
        or same(marked(row(refused), row(refused))[0], judge.UNSUPPORTED)
        or same(marked(row(checked(function())), row(refused))[0], judge.GOOD)
        or same(marked(row(checked(BOUNDARY), exceptions=False), row(checked(BOUNDARY)))[0], judge.BAD)
    )


def reasons_are_one_for_all_places():
    said = ("the JIT takes no function f0:a: an access of the arena", "the JIT takes no function f1:b: an access of the arena",
            "function c: instruction 7: kfunc k is not there")
    made = [judge.Row(f"x:{number}", None, why_not=text, state=judge.UNSUPPORTED) for number, text in enumerate(said)]
    return same(table.text("toy", "Linux 9.1", made).splitlines()[2:4], [
        "     2 not supported: the JIT takes no function: an access of the arena (x:0 x:1)",
        "     1 not supported: kfunc k is not there (x:2)",
    ])


def rows_come_back_from_json():
    made = json.loads(json.dumps(table.as_json("toy", "Linux 9.1", rows())))
    return same([one.level() for one in table.rows_of_json(made)], [2, 2, 2, 0])


def what_our_own_command_refuses_is_not_judged():
    one = row({"out": "", "said": "jitframe: x.bpf.o: p: there is no such map", "status": 1})
    return same((one.state, one.why_not), (judge.UNJUDGED, "p: there is no such map"))


def a_run_that_is_refused_leaves_the_verdict_of_the_code():
    refused = {"out": "", "said": "jitframe: x.bpf.o: the runner has no helper 9", "status": 2}
    one, other = row(checked(function()), refused, 5), row(checked(BOUNDARY), refused, 5)
    return (
        same((one.state, one.why_not), (judge.GOOD, "not run: the runner has no helper 9"))
        or same(other.state, judge.BAD)
        or same(table.cells(one)[1:4], ("5", "-", "-"))
    )


def without_exceptions_they_are_not_supported():
    return states(
        (row(checked(BOUNDARY), ran(6), 5, exceptions=False), judge.UNSUPPORTED),
        (row(checked(function()), ran(5), 5, exceptions=False), judge.GOOD),
    )


TABLE = """\
toy: Linux 9.1
  program  expected  got  registers   rules broken
  x:p      5         5    18 kept     none
! x:p      5         6    18 kept     none
! x:p      5         5    lost s7 s8  R3
R3 in x:p, parse: at +0x64 `or` runs in a boundary that has not saved s7, s8
        64:  move $a1, $zero
    and 1 more
     1 not judged: no map (x:p)
4 programs: 3 functions of 3 judged, 3 ran, 2 of them gave the stated result; 2 bad, 0 not supported, 1 not judged
"""


def rows():
    return [
        row(checked(function()), ran(5), 5),
        row(checked(function()), ran(6), 5),
        row(checked(BOUNDARY), ran(5, ["s7", "s8"]), 5),
        row({"out": "", "said": "jitframe: x.bpf.o: no map", "status": 1}),
    ]


def the_text_is_a_table():
    return same(table.text("toy", "Linux 9.1", rows()), TABLE)


def the_json_has_what_the_table_has():
    made = json.loads(json.dumps(table.as_json("toy", "Linux 9.1", rows())))
    bad = made["programs"][2]
    return (
        same(made["counts"], {"good": 1, "bad": 2, "not supported": 0, "not judged": 1})
        or same((bad["rules"], bad["lost"], bad["got"]), ([3], ["s7", "s8"], 5))
        or same(bad["findings"][0]["instruction"], "move $a1, $zero")
    )


def the_page_has_no_markup_of_others():
    made = row(checked(function("<b>", findings=[finding(3, "a < b & c")])))
    text = table.page("T", [table.html_table("toy", "Linux <9>", [made], ["p.html"])])
    for wanted in ("Linux &lt;9&gt;", "a &lt; b &amp; c", "&lt;b&gt;", '<a href="p.html">x:p</a>', 'class="bad"'):
        if wanted not in text:
            return f"no {wanted} in {text}"
    return None


# ---- which programs ------------------------------------------------------------------------------------------------


def results_come_from_the_tree_and_from_runs():
    conf = programs.Conf("sources a b*\noptions a --x y\nresults a tests.c RUN\\((\\w+), (0x\\w+|\\d+)\\)\n"
                         "run a p - --set m[0]=q\nrun a p 7\n")
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / programs.TESTS / "tests.c"
        path.parent.mkdir(parents=True)
        path.write_text("RUN(p, 0x10)\nRUN(q, 3)\n")
        stated = programs.results(conf, build.Tree(folder))
    return (
        same(stated, {("a", "p"): 16, ("a", "q"): 3})
        or same(conf.runs_of("a", "p", 16), [(16, ["--set", "m[0]=q"]), (7, [])])
        or same(conf.runs_of("a", "q", 3), [(3, [])])
        or same((conf.options_of("a"), conf.options_of("b")), (["--x", "y"], []))
    )


def the_projects_own_lists_can_be_read():
    conf = programs.Conf((programs.HERE / "selftests.conf").read_text())
    read = {path.parent.name: faults.read(path.read_text()) for path in programs.HERE.glob("arch/*/faults.conf")}
    for arch, (found, sources) in read.items():
        for fault in found:
            if not sources or not all((fault.says, fault.file, fault.function, fault.pattern, fault.text, fault.rules)):
                return f"{arch}: {fault}"
        if len({fault.name for fault in found}) < 10:
            return f"{arch} has {len(found)} faults"
    return None if conf.sources and read else "there are none"


# ---- faults --------------------------------------------------------------------------------------------------------

SOURCE = "int other(void)\n{\n\treturn 1;\n}\n\nint jit(void)\n{\n\treturn 1;\n}\n"
FAULT = faults.Fault("f", "it is wrong", "jit.c", "jit", r"(return) 1", r"\1 2", (5,))


def a_fault_is_planted_in_its_function():
    return same(faults.plant(FAULT, SOURCE), SOURCE[:-5] + "2;\n}\n")


def a_fault_that_does_not_fit_is_refused():
    for text, wanted in (
        (SOURCE.replace("jit", "jot"), "jit.c has no function jit"),
        (SOURCE.replace("return 1", "return 3"), "jit.c: jit has 0 places like (return) 1, not one"),
        (SOURCE.replace("return 1;", "return 1; return 1;"), "jit.c: jit has 2 places like (return) 1, not one"),
    ):
        try:
            return f"it was planted in {faults.plant(FAULT, text)}"
        except build.Failed as failed:
            if str(failed) != wanted:
                return str(failed)
    return None


def a_fault_has_to_break_its_rule_anew():
    bad = row(checked(function("f", findings=[finding(5, "s1 is lost")])))
    other = row(checked(function("f", findings=[finding(7, "SP")])))
    clean = row(checked(function("f")))
    red, lines = faults.verdict(FAULT, [clean], [bad])
    return (
        same((red, lines), (True, ["red: 1 programs break R5", "R5 in x:p, f: s1 is lost", "    64:  move $a1, $zero"]))
        or same(faults.verdict(FAULT, [bad], [bad]), (False, ["not red"]))
        or same(faults.verdict(FAULT, [clean], [other])[0], False)
    )


TESTS = [
    what_is_red,
    a_refusal_of_the_jit_is_no_crash_of_the_jit,
    who_comes_less_far_than_before_is_bad,
    reasons_are_one_for_all_places,
    rows_come_back_from_json,
    what_our_own_command_refuses_is_not_judged,
    a_run_that_is_refused_leaves_the_verdict_of_the_code,
    without_exceptions_they_are_not_supported,
    the_text_is_a_table,
    the_json_has_what_the_table_has,
    the_page_has_no_markup_of_others,
    results_come_from_the_tree_and_from_runs,
    the_projects_own_lists_can_be_read,
    a_fault_is_planted_in_its_function,
    a_fault_that_does_not_fit_is_refused,
    a_fault_has_to_break_its_rule_anew,
]


def main():
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        wrong = test()
        print(f"{'not ' if wrong else ''}ok {number} - {test.__name__}")
        if wrong:
            print(f"# {wrong}")


main()
