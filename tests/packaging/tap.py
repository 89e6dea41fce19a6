# SPDX-License-Identifier: BSD-2-Clause
"""Functions as tests."""


class Skip(Exception):
    """Says what is missing."""


def judge(number, test, arguments):
    """returns: whether it failed."""
    try:
        test(*arguments)
    except Skip as missing:
        print(f"ok {number} - {test.__name__} # SKIP {missing}", flush=True)
        return False
    except Exception as wrong:  # pylint: disable=broad-exception-caught
        print(f"not ok {number} - {test.__name__}")
        print("\n".join("# " + line for line in f"{type(wrong).__name__}: {wrong}".split("\n")), flush=True)
        return True
    print(f"ok {number} - {test.__name__}", flush=True)
    return False


def run_tests(*tests):
    """Functions, or tuples of a function and its arguments. returns: whether one failed."""
    print(f"1..{len(tests)}")
    failed = False
    for number, test in enumerate(tests, 1):
        function, *arguments = test if isinstance(test, tuple) else (test,)
        failed |= judge(number, function, arguments)
    return failed
