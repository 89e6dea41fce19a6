#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
How scripts/selftests counts, on a made-up tree with a few programs and tags: what does not compile, what is refused, what
is not run, what gives something else. made_up.py SOURCE_ROOT JITFRAME TARGET
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT, JITFRAME, TARGET = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3]

HEAD = """
#define SEC(name) __attribute__((section(name), used))
#define TAG(text) __attribute__((btf_decl_tag("comment:0:" text)))
#define ACCEPTED  TAG("test_expect_success")
#define REFUSED   TAG("test_expect_failure")
#define GIVES(n)  TAG("test_retval=" #n)
extern void bpf_nothing(void) __attribute__((section(".ksyms")));
struct skb {
	unsigned int before[19], data, data_end;
};
"""

SOURCES = {
    "made_up.c": HEAD + """
SEC("tc") ACCEPTED GIVES(7) int gives(void *ctx) { return 7; }
SEC("?tc") ACCEPTED GIVES((3+(4 | 1))) int gives_sum(void *ctx) { return 8; }
SEC("syscall") GIVES(-22) long gives_low_half(void *ctx) { return 0x1ffffffeaL; }
SEC("tc") GIVES(0xbadcafe) int gives_pointer(void *ctx) { return 0; }
SEC("tc") int states_nothing(void *ctx) { return 1; }
SEC("tc") REFUSED GIVES(1) int refused(void *ctx) { return 0; }
SEC("tc") ACCEPTED GIVES(1) int something_else(void *ctx) { return 2; }
SEC("tc") ACCEPTED GIVES(0) int needs(void *ctx) { bpf_nothing(); return 0; }
SEC("tc") ACCEPTED GIVES(64) int sees_packet(struct skb *ctx) { return ctx->data_end - ctx->data; }
SEC("socket") GIVES(6) TAG("test_linear_size=20") int sees_part(struct skb *ctx) { return ctx->data_end - ctx->data; }
SEC("tc") ACCEPTED __attribute__((naked)) int no_helper(void) { __asm__ volatile("call 9999; exit"); }
""",
    "verifier_array_access.c": HEAD + """
struct {
	int(*type)[2], (*max_entries)[1];
	unsigned int *key;
	char (*value)[48];
} map_array_ro SEC(".maps");
static int *(*const lookup)(void *map, const void *key) = (void *)1;
SEC("socket") ACCEPTED GIVES(28) int preset(void *ctx)
{
	unsigned int key = 0;
	int *value = lookup(&map_array_ro, &key);

	return value ? *value : -1;
}
""",
    "only_data.c": "int number = 1;\n",
    "broken.c": "int f(void) { return missing; }\n",
}


def make_tree(tree):
    tests = tree / "tools/testing/selftests/bpf/progs"
    for folder in (tests, tree / "scripts", tree / "tools/lib/bpf", tree / "include/uapi/linux"):
        folder.mkdir(parents=True)
    for name, text in SOURCES.items():
        (tests / name).write_text(text)
    (tree / "scripts/bpf_doc.py").write_text("")
    (tree / "include/uapi/linux/bpf.h").write_text("")
    (tree / "tools/lib/bpf/bpf_helpers.h").write_text("")
    (tree / "vmlinux").write_text("")
    bpftool = tree / "bpftool"
    bpftool.write_text("#!/bin/sh\necho '/* types */'\n")
    bpftool.chmod(0o755)


def command(*words, tree=None):
    env = dict(os.environ, BPFTOOL=str(tree / "bpftool")) if tree else None
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, check=False, env=env)


def lacks(done, status, wanted):
    """What is wrong with a command that was to end with a status and to print lines, or nothing."""
    lines = [re.sub(" +", " ", line).strip() for line in done.stdout.splitlines()]
    missing = [line for line in wanted if line not in lines]
    if done.returncode != status or missing:
        return f"status {done.returncode}, not {status}; without {missing}:\n{done.stdout}{done.stderr}"
    return None


def objects(folder, *names):
    return [folder / "objects" / f"{name}.bpf.o" for name in names]


def compiles(tree, folder):
    done = command(ROOT / "scripts/selftest-objects", tree, folder, "--vmlinux", tree / "vmlinux", tree=tree)
    wrong = lacks(done, 0, ["1 use of undeclared identifier 'missing'"])
    if not wrong and "3 compiled, 1 did not" not in done.stdout + done.stderr:
        wrong = done.stdout + done.stderr
    return wrong


def counts(tree, folder):
    done = command(ROOT / "scripts/count-selftests.py", "--list", tree / "list", JITFRAME, TARGET,
                   *objects(folder, "made_up", "verifier_array_access", "only_data"))
    wrong = lacks(done, 1, [f"{TARGET}: 3 objects, 11 programs that a verifier takes", "10 compiled",
                            "1 helper N is not there", "8 of them with a stated result", "6 gives it",
                            "1 gives something else", "1 not run: kfunc bpf_nothing is not there"])
    lines = (tree / "list").read_text().splitlines()
    if not wrong and f"{folder}/objects/made_up.bpf.o something_else: gives something else" not in lines:
        wrong = "\n".join(lines)
    return wrong


def counts_compiled(_, folder):
    done = command(ROOT / "scripts/count-selftests.py", "--compile-only", JITFRAME, TARGET,
                   *objects(folder, "verifier_array_access", "only_data"))
    wrong = lacks(done, 0, [f"{TARGET}: 2 objects, 1 programs that a verifier takes", "1 compiled"])
    return wrong or ("it ran programs" if "stated" in done.stdout else None)


def is_well(_, folder):
    done = command(ROOT / "scripts/count-selftests.py", JITFRAME, TARGET, *objects(folder, "verifier_array_access"))
    return lacks(done, 0, ["1 of them with a stated result", "1 gives it"])


def counts_what_crashes(tree, folder):
    crashing = tree / "crashes"
    crashing.write_text("#!/bin/sh\nkill -SEGV $$\n")
    crashing.chmod(0o755)
    done = command(ROOT / "scripts/count-selftests.py", crashing, TARGET, *objects(folder, "only_data"))
    return lacks(done, 1, ["1 jitframe ended by signal 11"])


def names_what_is_no_tree(tree, folder):
    done = command(ROOT / "scripts/selftest-objects", tree / "scripts", folder, tree=tree)
    return None if done.returncode and "not the source of a Linux kernel" in done.stderr else done.stderr


def main():
    cases = [compiles, counts, counts_compiled, is_well, counts_what_crashes, names_what_is_no_tree]
    if not shutil.which("clang-19"):
        print("1..0 # SKIP no clang-19, which scripts/selftest-objects compiles with")
        return
    print(f"1..{len(cases)}")
    with tempfile.TemporaryDirectory() as temporary:
        tree, folder = pathlib.Path(temporary) / "tree", pathlib.Path(temporary) / "folder"
        make_tree(tree)
        for number, case in enumerate(cases, 1):
            wrong = case(tree, folder)
            print(f"{'not ' if wrong else ''}ok {number} - {case.__name__}")
            if wrong:
                print("# " + wrong.replace("\n", "\n# "))


main()
