#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every vector of generate.py on every architecture, a test each, by way of conformance-plugin; and its arguments.

    conformance.py PLUGIN VECTORS TARGET...

The vectors of a target are one batch of the plugin: an emulator starts once, and each vector has a process of its own.
Prints TAP. A target whose program is not there fails when JITFRAME_RUNNER_PATH is set, as scripts/test sets it; else
nobody said that there are other builds, and the target is skipped.
"""

import os
import subprocess
import sys

NO_RUNNER = 'JITFRAME_RUNNER_PATH can name its folder'  # in what the plugin prints when the program is not there
EXIT_7 = 'b7 00 00 00 07 00 00 00 95 00 00 00 00 00 00 00'

told = failed = 0


def tell(name, problem=None):
    global told, failed
    told += 1
    failed += problem is not None
    print(f"{'not ok' if problem else 'ok'} {told} - {name}")
    for line in (problem or '').splitlines()[:5]:
        print(f'# {line}')


def run(plugin, args, text):
    # The plugin must not read on from the test's standard input, nor hang.
    return subprocess.run([plugin, *args], input=text, capture_output=True, text=True, timeout=300)


def check_target(plugin, target, vectors):
    done = run(plugin, [f'--batch --target {target}'], ''.join(f'{memory}|{program}\n' for _, memory, program, _ in vectors))
    if NO_RUNNER in done.stderr and 'JITFRAME_RUNNER_PATH' not in os.environ:
        print(f'ok {told + 1} - {target} # SKIP no build for it beside this one: scripts/test makes one')
        return 1
    got = done.stdout.splitlines()
    if done.returncode or len(got) != len(vectors):
        tell(target, f'exit status {done.returncode}, {len(got)} of {len(vectors)} results: {done.stderr.strip()}')
    for (name, _, _, expected), result in zip(vectors, got):
        tell(f'{target}::{name}', None if result == expected else f'expected {expected}, got {result}')
    refused = sum(expected == 'refused' for *_, expected in vectors)
    said = len(done.stderr.splitlines())
    tell(f'{target}::why_refused', None if said == refused else f'{said} lines say why {refused} are refused')
    return 0


def check_arguments(plugin, target):
    cases = [
        ([], EXIT_7, 0, '7\n'),
        (['', ''], EXIT_7 + '\n', 0, '7\n'),
        (['--target', target], EXIT_7 + '\n', 0, '7\n'),
        (['01 02', '--target', target], EXIT_7 + '\n', 0, '7\n'),
        ([' 01\t02\n3  '], 'bf20000000000000  9500000000000000\n', 0, '3\n'),
        (['--target', 'nowhere/user'], EXIT_7, 2, ''),
        (['--target'], EXIT_7, 2, ''),
        (['--targets', target], EXIT_7, 1, ''),
        (['0x01'], EXIT_7, 1, ''),
        (['01', '02'], EXIT_7, 1, ''),
        (['01', '--batch'], EXIT_7, 1, ''),
        ([], '', 1, ''),
        ([], 'zz\n', 1, ''),
        (['--batch'], f'01|{EXIT_7}\n|{EXIT_7}\n', 0, '7\n7\n'),
        (['--batch'], f'{EXIT_7}\nzz|{EXIT_7}\n|zz\n|{EXIT_7}', 0, 'refused\nrefused\nrefused\n7\n'),
        (['--batch'], '', 0, ''),
    ]
    for args, text, status, out in cases:
        done = run(plugin, args, text)
        good = done.returncode == status and done.stdout == out and (status == 0 or done.stderr)
        tell(f'arguments {args}', None if good else f'exit status {done.returncode}: {done.stdout}{done.stderr}')


def main():
    plugin, path, *targets = sys.argv[1:]
    with open(path) as file:
        vectors = [line.rstrip('\n').split(' | ') for line in file]
    skipped = sum(check_target(plugin, target, vectors) for target in targets)
    if not skipped:
        check_arguments(plugin, targets[0])
    print(f'1..{told + skipped}')
    return failed > 0 or not vectors


sys.exit(main())
