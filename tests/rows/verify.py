#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Functions whose rows are right, and functions of which one directive is wrong, as assembled by LLVM: the command says
which are which, and at which instruction. The names of the functions say what is to come out.

    verify.py JITFRAME READELF OBJECT [LINKED]

In LINKED, the same functions linked, the command sees which calls are calls of abort()."""

import json
import subprocess
import sys

VERDICTS = ('true', 'untrue', 'undecided')
ABOUT = {'cfa': 'cfa', 'return': 'return_address', 'register': 'register', 'row': 'row', 'code': 'code'}
CASES = {  # of every architecture
    'true__leaf', 'true__frame', 'true__frame_pointer', 'true__two_ways', 'true__switch', 'true__ends_with_a_call',
    'true__goes_on_elsewhere_behind_a_call', 'true__leaves_for_another', 'true__variable_changed_by_a_callee',
    'true__part_that_begins_with_a_landing_pad', 'untrue_cfa__left_out_at_the_start',
    'untrue_cfa__left_out_at_the_end', 'untrue_cfa__another_number', 'untrue_cfa__another_register',
    'untrue_register__another_slot', 'untrue_register__left_out', 'untrue_register__restored_too_soon',
    'untrue_return__another_slot', 'untrue_cfa__of_a_case', 'undecided_row__of_a_case', 'undecided_row__an_expression',
    'undecided_cfa__a_stack_of_any_size', 'undecided_cfa__unless_abort_never_returns', 'undecided_code__no_instruction',
}


def symbols(readelf, path):
    text = subprocess.run([readelf, '-sW', path], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in text.splitlines()]
    return {row[7]: int(row[1], 16) for row in rows if len(row) == 8 and row[0].rstrip(':').isdigit()}


def judge(function, places):
    """What is wrong with the command's answer; None: nothing."""
    name = function['name']
    verdict, _, about = name.partition('__')[0].partition('_')
    if function['verdict'] != verdict:
        return f"{function['verdict']}: {function.get('text', '')}"
    if verdict == 'true':
        return None
    if function['about'] != ABOUT[about]:
        return f"it is about the {function['about']}: {function['text']}"
    if function['code_off'] != places['at__' + name] - places[name]:
        return f"+{function['code_off']:#x}, not at__{name}: {function['text']}"
    return None


def verify(jitframe, path):
    done = subprocess.run([jitframe, 'rows', 'verify', '--json', path], capture_output=True, text=True, check=False)
    return json.loads(done.stdout), done.returncode


def judge_linked(jitframe, path):
    answer, _ = verify(jitframe, path)
    ends = [name for name in CASES if name.endswith('unless_abort_never_returns')]
    verdicts = {function['name']: function['verdict'] for function in answer['functions']}
    return None if all(verdicts.get(name) == 'true' for name in ends) else str([verdicts.get(name) for name in ends])


def main():
    jitframe, readelf, path = sys.argv[1:4]
    answer, status = verify(jitframe, path)
    places = symbols(readelf, path)
    functions = {function['name']: function for function in answer['functions']}
    checks = [(name, judge(functions[name], places) if name in functions else 'there is no such function')
              for name in sorted(CASES | set(functions))]
    counts = {verdict: sum(name.startswith(verdict) for name in functions) for verdict in VERDICTS}
    checks.append(('the_counts_add_up', None if counts == {key: answer[key] for key in counts} else str(answer)[:200]))
    checks.append(('the_exit_status_is_1', None if status == 1 else str(status)))
    checks += [('calls_that_never_return_end_the_path', judge_linked(jitframe, linked)) for linked in sys.argv[4:]]
    print(f'1..{len(checks)}')
    for number, (name, wrong) in enumerate(checks, 1):
        print(f"{'not ' if wrong else ''}ok {number} - {name}")
        if wrong:
            print(f'# {wrong}')
    return any(wrong for _, wrong in checks)


if __name__ == '__main__':
    sys.exit(main())
