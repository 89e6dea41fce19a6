#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
How tools/kernel-jit takes a kernel tree apart, on a tree of a few lines: what is cut, and what is said of a tree that
lacks something. tiny.py SOURCE_ROOT CC
"""
import pathlib
import subprocess
import sys
import tempfile

ROOT, CC = pathlib.Path(sys.argv[1]), sys.argv[2].split()
sys.path.insert(0, str(ROOT / "tools" / "kernel-jit"))
sys.dont_write_bytecode = True
import build  # noqa: E402
import patched  # noqa: E402
from cut import cut  # noqa: E402

HEADER = """\
#define ONE 1
#  define LONG(x) \\
	((x) + \\
	 ONE)
#define ONE_MORE 2

struct point {
	int x; /* } is no end */
	struct {
		int y;
	} inner;
};
struct empty {};
enum color {
	RED,
};
enum {
	LIMIT = 7,
};
int declared(int x);
static inline bool
shown(const struct point *p)
{
	if (p->x) {
		return true;
	}
	return declared(ONE);
}
static inline int short_one(void) { return 1; }
"""


def same(got, wanted):
    return None if got == wanted else f"{got!r}, not {wanted!r}"


def macros_are_cut_with_their_lines():
    return same(cut(HEADER, ["ONE", "LONG"]), ("#define ONE 1\n#  define LONG(x) \\\n\t((x) + \\\n\t ONE)\n", []))


def types_are_cut_whole():
    text, missing = cut(HEADER, ["struct:point", "struct:empty", "enum:color", "with:LIMIT"])
    return same(missing, []) or same(
        text, HEADER[HEADER.index("struct point") : HEADER.index("int declared")]
    )


def functions_are_cut_with_their_bodies():
    text, missing = cut(HEADER, ["fn:shown", "fn:short_one"])
    return same(missing, []) or same(text, HEADER[HEADER.index("static inline bool") :])


def what_is_not_there_is_named():
    return same(cut(HEADER, ["TWO", "fn:declared", "struct:poin", "fn:gone?", "with:RED"]), (
        "", ["TWO", "fn:declared", "struct:poin", "with:RED"]
    ))


# ---- a tree ----------------------------------------------------------------------------------------------------


class Tiny:
    """A tree of three files, the conf for it, and what build.py says of both."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.write("tree/Makefile", "VERSION = 9\nPATCHLEVEL = 1\nSUBLEVEL = 2\n")
        self.write("tree/arch/toy/net/jit.c", '#include <linux/bpf.h>\n#include "jit.h"\nint jit(void);\n')
        self.write("tree/arch/toy/net/jit.h", "/* nothing */\n")
        self.write("tree/include/linux/bpf.h", HEADER)
        self.write("toy.conf", (
            "source arch/toy/net/jit.c\nlocal arch/toy/net/jit.h\nempty linux/bpf.h\ninto cut.h\n"
            "cut include/linux/bpf.h ONE   # a remark\n"
        ))

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def take_apart(self, *more_tops):
        conf = build.Conf(self.folder / "toy.conf")
        tree = build.Tree(*(self.folder / top for top in (*more_tops, "tree")))
        out, missing = self.folder / "out", []
        (out / "include").mkdir(parents=True, exist_ok=True)
        sources = build.place_sources(conf, tree, out, missing)
        build.place_headers(conf, tree, out, missing)
        build.cut_headers(conf, tree, out, missing)
        build.check_includes(conf, tree, out, sources, missing)
        return missing


def on_a_tree(test):
    def run():
        with tempfile.TemporaryDirectory() as folder:
            return test(Tiny(folder))

    run.__name__ = test.__name__
    return run


@on_a_tree
def a_tree_that_has_all_is_taken(tiny):
    return same(tiny.take_apart(), []) or same((tiny.folder / "out/include/cut.h").read_text(), "#define ONE 1\n")


@on_a_tree
def a_missing_file_is_named(tiny):
    (tiny.folder / "tree/include/linux/bpf.h").unlink()
    (tiny.folder / "tree/arch/toy/net/jit.h").unlink()
    return same(tiny.take_apart(), [
        "there is no arch/toy/net/jit.h",
        "there is no include/linux/bpf.h",
        "arch/toy/net/jit.c:2 includes jit.h, which tools/kernel-jit does not have",
    ])


@on_a_tree
def a_missing_name_is_named(tiny):
    tiny.write("tree/include/linux/bpf.h", "/* an older one */\n")
    return same(tiny.take_apart(), ["include/linux/bpf.h has no ONE"])


@on_a_tree
def an_unknown_include_is_named_with_its_line(tiny):
    tiny.write("tree/arch/toy/net/jit.h", "/* newer */\n\n#include <asm/newer.h>\n")
    return same(tiny.take_apart(), [
        "arch/toy/net/jit.h:3 includes asm/newer.h, which tools/kernel-jit does not have"
    ])


@on_a_tree
def a_patched_file_goes_before_the_trees(tiny):
    tiny.write("patched/arch/toy/net/jit.h", "#include <asm/patched.h>\n")
    found = tiny.take_apart("patched")
    return same(found, ["arch/toy/net/jit.h:1 includes asm/patched.h, which tools/kernel-jit does not have"])


PATCH = """\
From: Somebody
--- a/Documentation/elsewhere.rst
+++ b/Documentation/elsewhere.rst
@@ -1 +1 @@
-old
+new
diff --git a/arch/toy/net/jit.h b/arch/toy/net/jit.h
--- a/arch/toy/net/jit.h
+++ b/arch/toy/net/jit.h
@@ -1 +1,2 @@
 /* nothing */
+#include "new.h"
diff --git a/arch/toy/net/new.h b/arch/toy/net/new.h
--- /dev/null
+++ b/arch/toy/net/new.h
@@ -0,0 +1 @@
+/* new */
--\x20
2.40
"""


@on_a_tree
def a_patch_goes_into_copies(tiny):
    tiny.write("a.patch", PATCH)
    tree, copies = tiny.folder / "tree", tiny.folder / "copies"
    copies.mkdir()
    return (
        same(patched.put_in(tree, copies, tiny.folder / "a.patch"),
             [f"Documentation/elsewhere.rst, which {tree} does not have"])
        or same((copies / "arch/toy/net/jit.h").read_text(), '/* nothing */\n#include "new.h"\n')
        or same((copies / "arch/toy/net/new.h").read_text(), "/* new */\n")
        or same((tree / "arch/toy/net/jit.h").read_text(), "/* nothing */\n")
    )


@on_a_tree
def a_patch_that_does_not_fit_is_refused(tiny):
    for number, (text, wanted) in enumerate((
        (PATCH.replace(" /* nothing */", "-/* something */"), "it does not go into arch/toy/net/jit.h"),
        (PATCH.replace("net/new.h", "net/jit.c"), "it does not go into arch/toy/net/jit.c"),
        (MOVES.replace(" a/", " ").replace(" b/", " "), "names begin with a/ and b/"),
        (PATCH.replace("b/arch/toy/net/new.h", "b/../new.h"), "../new.h is no name in a tree"),
        ("Subject: nothing\n", "it is no patch"),
    )):
        tiny.write("a.patch", text)
        copies = tiny.folder / f"copies{number}"
        copies.mkdir()
        try:
            patched.put_in(tiny.folder / "tree", copies, tiny.folder / "a.patch")
        except SystemExit as end:
            if wanted not in str(end):
                return str(end)
        else:
            return f"it went in: {text}"
    return None


MOVES = """\
diff --git a/arch/toy/net/jit.h b/arch/toy/net/moved.h
--- a/arch/toy/net/jit.h
+++ b/arch/toy/net/moved.h
@@ -1 +1 @@
-/* nothing */
+/* moved */
diff --git a/arch/toy/net/jit.c b/arch/toy/net/jit.c
--- a/arch/toy/net/jit.c
+++ /dev/null
@@ -1 +0,0 @@
-gone
diff --git a/arch/toy/net/a.bin b/arch/toy/net/b.bin
similarity index 100%
rename from arch/toy/net/a.bin
rename to arch/toy/net/b.bin
"""


@on_a_tree
def what_copies_cannot_show_is_named(tiny):
    tiny.write("a.patch", MOVES)
    copies = tiny.folder / "copies"
    copies.mkdir()
    return (
        same(patched.put_in(tiny.folder / "tree", copies, tiny.folder / "a.patch"), [
            "that arch/toy/net/jit.c goes: the tree's own stays",
            "arch/toy/net/b.bin, which the patch changes without lines of text",
        ])
        or same((copies / "arch/toy/net/moved.h").read_text(), "/* moved */\n")
    )


@on_a_tree
def a_source_is_rewritten_in_a_copy(tiny):
    conf = (tiny.folder / "toy.conf").read_text()
    tiny.write("toy.conf", conf + "rewrite int\\s(jit) => long \\1\nrewrite gone => here\n")
    missing = tiny.take_apart()
    copy, own = (tiny.folder / name / "jit.c" for name in ("out/source", "tree/arch/toy/net"))
    return (
        same(missing, ["arch/toy/net/jit.c has nothing like gone"])
        or same("long jit(void)" in copy.read_text(), True)
        or same("int jit(void)" in own.read_text(), True)
    )


@on_a_tree
def the_version_is_the_makefiles(tiny):
    tree, patched_tree = build.Tree(tiny.folder / "tree"), build.Tree(tiny.folder / "patched", tiny.folder / "tree")
    tiny.write("older/Makefile", "VERSION = 6\nPATCHLEVEL = 9\nSUBLEVEL = 99\n")
    return (
        same((tree.shown_version(), patched_tree.shown_version()), ("9.1.2", "9.1.2-patched"))
        or same((tree.is_too_old(), build.Tree(tiny.folder / "older").is_too_old()), (False, True))
    )


@on_a_tree
def a_compiler_that_fails_is_quoted(tiny):
    tiny.write("wrong.c", "int f(void) { return missing_one; }\n")
    try:
        build.run([*CC, "-c", str(tiny.folder / "wrong.c"), "-o", str(tiny.folder / "wrong.o")])
    except build.Failed as failed:
        return None if "missing_one" in str(failed) and "wrong.c:1" in str(failed) else str(failed)
    return "the compiler took it"


def the_command_refuses_what_is_no_tree():
    """By the script itself, which must not fetch anything for this."""
    for words, wanted in (
        (["build", "/nonexistent"], "there is no folder /nonexistent"),
        (["build", "/usr"], "/usr is no tree of Linux: it has no folder arch"),
        (["build", "/usr", "/bin"], "two trees, /usr and /bin"),
        (["build", "--arch"], "--arch: its value is missing"),
        (["build", "--arch", "--patch"], "--arch: its value is missing"),
        (["build", "--html", "x"], "build has no option --html"),
        (["faults", "--config", "x"], "faults has no option --config"),
        (["build", "/usr", "--patch", "/nonexistent"], "--patch /nonexistent: it cannot be read"),
        (["test", "/usr", "--json", "/nonexistent/x"], "--json /nonexistent/x: it cannot be written"),
        (["faults", "/usr"], "one --arch is wanted"),
        (["options", "more"], "options takes no more words"),
        (["dance"], "there is no command dance"),
        ([], "usage:"),
    ):
        done = subprocess.run([ROOT / "scripts/kernel-jit", *words], capture_output=True, text=True)
        if done.returncode != 1 or wanted not in done.stderr:
            return f"{words}: {done.returncode}: {done.stderr}"
    return None


def architectures_have_what_build_py_asks_of_them():
    for arch in build.archs():
        folder = ROOT / "tools/kernel-jit/arch" / arch
        conf = build.Conf(folder / "jit.conf")
        if not (folder / "arch.h").exists() or not conf.one("triple") or not conf.all("source") or not conf.one("base"):
            return f"{arch} lacks arch.h, or a line triple, source or base"
        if not any(name == "__bpf_call_base" for name, _ in conf.all("address")):
            return f"{arch} has no address of __bpf_call_base"
    return None if len(build.archs()) > 1 else "there are no two architectures"


def addresses_of_a_process_keep_their_distances():
    """And lie below 2 GiB, but for the upper bits that a JIT takes for ones."""
    ran = []
    for arch in build.archs():
        conf = build.conf_of(arch)
        addresses = {name: int(value, 16) for name, value in conf.all("address")}
        if not conf.all("run"):
            continue
        moved = build.in_a_process(conf, {**addresses, "elsewhere": 0x6F0000000000})
        for name, address in addresses.items():
            if moved[name] - moved[build.CALL_BASE] != address - addresses[build.CALL_BASE]:
                return f"{arch}: {name} is at {moved[name]:x}"
            if not 0 < (moved[name] & 0xFFFFFFFFFFFF) < 1 << 31:
                return f"{arch}: {name} is at {moved[name]:x}"
        if moved["elsewhere"] != 0x6F0000000000 or f"{moved[build.BASE]:x}" != conf.all("run")[0][0]:
            return f"{arch}: {moved}"
        ran.append(arch)
    return None if len(ran) > 1 else "there are no two architectures whose code runs"


TESTS = [
    macros_are_cut_with_their_lines,
    types_are_cut_whole,
    functions_are_cut_with_their_bodies,
    what_is_not_there_is_named,
    a_tree_that_has_all_is_taken,
    a_missing_file_is_named,
    a_missing_name_is_named,
    an_unknown_include_is_named_with_its_line,
    a_patched_file_goes_before_the_trees,
    a_patch_goes_into_copies,
    a_patch_that_does_not_fit_is_refused,
    what_copies_cannot_show_is_named,
    a_source_is_rewritten_in_a_copy,
    the_version_is_the_makefiles,
    a_compiler_that_fails_is_quoted,
    the_command_refuses_what_is_no_tree,
    architectures_have_what_build_py_asks_of_them,
    addresses_of_a_process_keep_their_distances,
]


def main():
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        wrong = test()
        print(f"{'not ' if wrong else ''}ok {number} - {test.__name__}")
        if wrong:
            print(f"# {wrong}")


main()
