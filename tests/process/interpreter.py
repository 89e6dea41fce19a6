#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The shared library in an interpreter that has threads: interpreter.py LIBRARY. Prints TAP."""

import ctypes
import sys
import threading

THREADS = 50


def main():
    library = sys.argv[1]
    done = threading.Event()
    threads = [threading.Thread(target=done.wait) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    try:
        statuses = use(ctypes.CDLL(library))
        why = f"jf_thread_init() gave {statuses}"
    except OSError as error:
        statuses, why = [None], error
    done.set()
    for thread in threads:
        thread.join()
    is_ok = statuses == [0] * THREADS
    print("1..1")
    print(f"{'' if is_ok else 'not '}ok 1 - ctypes opens the library in a process with threads")
    if not is_ok:
        print(f"# {why}")
    return 0 if is_ok else 1


def use(library):
    """What jf_thread_init() returns in new threads."""
    statuses = []
    threads = [threading.Thread(target=lambda: statuses.append(library.jf_thread_init())) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statuses


sys.exit(main())
