#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What `jitframe compile` makes, checked with no option but the target:
compiled.py JITFRAME FOLDER ARCH OBJECT... --pads OBJECT...

The checker is told nothing of roles, stacks and options, and has to raise no alarm that is false: what it finds is found
with all of this told too, by `jitframe check OBJECT`. Objects behind --pads have clean-up pads, of which bytes alone say
nothing: `jitframe check OBJECT` finds nothing there but R3, where the convention leaves registers out. Prints TAP.
"""

import json
import pathlib
import subprocess
import sys


def faults(text):
    """What does not hold, as (function, rule)."""
    return [(function['name'], rule) for function in json.loads(text)['functions']
            for rule, verdict in function['rules'].items() if verdict in ('broken', 'undecided')]


def false_alarms(run, path, dump):
    """What is found and is not true, or what went wrong; None when the convention has no such code."""
    made = run('compile', path, '--hex')
    if made.returncode:
        return None
    dump.write_text(made.stdout)
    plain = run('check', dump, '--json')
    if plain.returncode not in (0, 1):
        return [plain.stderr]
    found = faults(plain.stdout)
    known = faults(run('check', path, '--json').stdout) if found else []  # the convention's own shortcomings
    return [fault for fault in found if fault not in known]


def pad_alarms(run, path, leaves_out):
    """The same of an object with clean-up pads, which have to be seen."""
    made = run('check', path, '--json')
    if made.returncode not in (0, 1):
        return [made.stderr]
    found = faults(made.stdout)
    if not any('R24' in function['rules'] for function in json.loads(made.stdout)['functions']):
        found.append(('no function', 'has a pad (R24)'))
    return [fault for fault in found if fault[1] != 'R3' or not leaves_out]


def main():
    jitframe, folder, arch, *objects = sys.argv[1:]
    padded = objects[objects.index('--pads') + 1:]
    objects = objects[:objects.index('--pads')]
    archs = json.loads(subprocess.run([jitframe, 'archs', '--json'], capture_output=True, check=True).stdout)['archs']
    targets = [(f"{arch}/{convention['name']}", convention['not_saved']) for known in archs if known['name'] == arch
               for convention in known['conventions']]
    number = failed = checked = 0
    for target, not_saved in targets:
        def run(*args):
            return subprocess.run([jitframe, *args, '--target', target], capture_output=True, text=True, check=False)

        for path in map(pathlib.Path, [*objects, *padded]):
            if str(path) in padded:
                alarms = pad_alarms(run, path, not_saved)
            else:
                alarms = false_alarms(run, path, pathlib.Path(folder) / f'{arch}.hex')
            number += 1
            failed += bool(alarms)
            checked += alarms is not None
            skip = ' # SKIP the convention has no such code' if alarms is None else ''
            print(f"{'not ' if alarms else ''}ok {number} - {target} {path.name}{skip}")
            for alarm in (alarms or [])[:9]:
                print(f'# {alarm}')
    print(f'1..{number}')
    return bool(failed or not checked)


sys.exit(main())
