#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The rules that the source tree keeps, as tests: tree.py ROOT LIBRARY NM CC CXX

Prints TAP. LIBRARY is the shared library of the build; NM, CC and CXX are commands, CXX may be empty.
"""

import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True  # the source tree stays as it is

import form
import pages
from source import Skip, Tree, lines_with, without_comments

# Places that documents and code may point to.
HOSTS = {
    "www.debian.org",
    "www.w3.org",
    "www.rfc-editor.org",
    "datatracker.ietf.org",
    "docs.kernel.org",
    "lore.kernel.org",
    "www.kernel.org",
    "git.kernel.org",
    "github.com",
    "spdx.org",
    "loongson.github.io",
    "developer.arm.com",
    "llvm.org",
    "mesonbuild.com",
    "man7.org",
    "dwarfstd.org",
    "refspecs.linuxfoundation.org",
    "gitlab.com",
    "sourceware.org",
    "gcc.gnu.org",
}

ARCHITECTURE = re.compile(
    r"loongarch|loong64|aarch64|arm64|\barm\b|x86|amd64|i386|risc-?v|s390|power-?pc|ppc64|mips|sparc"
    r"|EM_(?!BPF\b)[A-Z0-9_]+",
    re.I,
)
# What belongs to one architecture without its name: a signal's context, registers, features, instructions.
DISGUISED = re.compile(
    r"\b(uc_)?mcontext(_t)?\b|\bHWCAP_|__asm__\s*(volatile)?\s*\(\s*\"[^\"]|\bmxcsr\b|\bfcw\b|\bLSE\b", re.I
)
EXPORT = re.compile(r"\bJF_API\b[^;{]*?\b(jf_\w+)\s*\(", re.S)


# ---- the tests: each yields what is wrong ------------------------------------------------------------------


def the_core_names_no_architecture(tree):
    for name in tree.under("src/"):
        for number, line in lines_with(tree.text(name), ARCHITECTURE):
            yield f"{name}:{number}: {line.strip()}"


# The folders of src/, the highest floor first: a file includes those of its own folder and of folders below.
FLOORS = ["publish", "run", "walk", "check", "compile", "cfi", "orc", "frame", "bpf", "codemap", "base"]


def folders_of_the_core_include_downwards(tree):
    include = re.compile(r'^\s*#\s*include\s+"([^"]+)"')
    for name in tree.under("src/"):
        folder = pathlib.PurePath(name).parts[1]
        if name in ("src/meson.build", "src/jitframe.map"):
            continue
        if folder not in FLOORS:
            yield f"{name} is in none of the folders {', '.join(FLOORS)}"
            continue
        for number, line in lines_with(tree.text(name), include):
            other = include.match(line).group(1)
            if f"src/{other}" not in tree.files:
                yield f"{name}:{number}: {other} is no path from src/"
            elif FLOORS.index(other.split("/")[0]) < FLOORS.index(folder):
                yield f"{name}:{number}: {folder}/ includes {other}, which is on a higher floor"


def folders_of_the_core_have_no_circles(tree):
    """Which header includes which, through every floor."""
    reached = {}
    for name in tree.under("src/"):
        if name.endswith(".h"):
            reached[name] = {f"src/{other}" for other in re.findall(r'^#include "([^"]+)"', tree.text(name), re.M)}

    def visit(name, path):
        for other in reached.get(name, ()):
            if other in path:
                yield " -> ".join([*path, other])
            else:
                yield from visit(other, [*path, other])

    for name in reached:
        yield from visit(name, [name])


def public_headers_name_an_architecture_in_comments_alone(tree):
    for name in tree.headers():
        for number, line in lines_with(without_comments(tree.text(name)), ARCHITECTURE):
            yield f"{name}:{number}: {line.strip()}"


def tools_name_an_architecture_in_comments_alone(tree):
    """Nor do they have its registers, instructions or signal contexts: hooks and tables of the backend have these."""
    for name in tree.under("tools/"):
        if ITS_OWN.match(name):
            continue
        text = without_comments(tree.text(name)) if name.endswith((".c", ".h", ".def")) else ""
        for pattern in (ARCHITECTURE, DISGUISED):
            for number, line in lines_with(text, pattern):
                yield f"{name}:{number}: {line.strip()}"


# The same, among other words: "arm" is a verb, "sem_t" is none of ELF's.
ARCHITECTURE_NAME = re.compile(
    r"(?i:loongarch|loong64|aarch64|arm64|x86_64|x86-64|_x86\b|amd64|i386|risc-?v|s390x|ppc64)|\bEM_(?!BPF\b)[A-Z0-9_]+"
)
# What may name an architecture outside of its folders, and why. Nothing here is a list that a new one has to be added to.
NAMES_ONE = {
    "tests/orc/": "ORC formats of two architectures are what is tested",
    "tests/tools/": "arguments and output of the command",
    "tests/docs/": "the object that a page is about",
    "tests/museum/": "faults of each",
    "tests/tree/": "the patterns of these rules",
    "tests/unit/checker_input.c": "a call of five bytes, put in by hand",
    "scripts/fetch-kernel": "the one kernel whose objtool runs here",
    "README.md": "what there is, and examples",
    "CHANGELOG.md": "what there is",
    "CONTRIBUTING.md": "commands to type",
    "docs/backtraces.md": "one throw on each",
    "docs/checker.md": "known findings",
    "docs/cleanup.md": "where each architecture's frames keep what a called pad finds",
    "docs/contract.md": "what each architecture's frames lose",
    "docs/frame.svg": "the picture of a frame",
    "docs/jit-author": "one to begin with",
    "docs/profiler": "one to begin with",
    "docs/isa.md": "made of what there is",
    "docs/jitframe.1": "examples",
    "docs/kernel-jit.md": "examples",
    "docs/library.md": "examples",
    "docs/museum.md": "faults of each",
    "docs/passing-through.md": "what was seen where",
    "docs/performance": "figures of each",
    "docs/porting.md": "what there is, and what does not fit yet",
    "docs/porting.svg": "the picture of a frame",
    "docs/porting-exceptions": "about a patch for one",
    "docs/process.md": "what processors ask of new code",
    "docs/proof.md": "figures of each",
    "docs/size.md": "figures of each",
}
# Of one architecture each: what is there of it. Goldens and captures are made, not written.
ITS_OWN = re.compile(r"^(backends/\w+|tests/arch|tests/golden/\w+|tests/size|tools/kernel-jit/arch/\w+)/(?!meson\.build$)")


def without_remarks(name, text):
    """The text with blanks for comments, where they have a form that this knows."""
    if name.endswith((".c", ".h", ".S", ".cc", ".def", ".s", ".in")):
        return without_comments(text)
    return re.sub(r"(^|\s)#(?!!).*", "", text, flags=re.M)


def a_new_architecture_is_listed_once(tree):
    """Comments apart, nothing names an architecture but its own folders, and a line of backends/meson.build."""
    listed = re.compile(r"^  '\w+',$")
    idle = set(NAMES_ONE)
    for name, text in tree.texts():
        allowed = {start for start in NAMES_ONE if name.startswith(start)}
        if allowed and ARCHITECTURE_NAME.search(text):
            idle -= allowed
        if ITS_OWN.match(name) or allowed:
            continue
        for number, line in lines_with(without_remarks(name, text), ARCHITECTURE_NAME):
            if name != "backends/meson.build" or not listed.match(line):
                yield f"{name}:{number}: {line.strip()}"
    for start in sorted(idle):
        yield f"nothing of {start} names an architecture now: take it off the list"


def listed_backends_have_their_files(tree):
    block = re.search(r"^archs = \[\n(.*?)^\]", tree.text("backends/meson.build"), re.M | re.S)
    listed = set(re.findall(r"'(\w+)'", block.group(1) if block else ""))
    folders = {name.split("/")[1] for name in tree.under("backends/") if name.count("/") == 2}
    for arch in sorted(listed ^ folders):
        yield f"{arch} is a folder of backends/ or a line of backends/meson.build, and not both"
    for arch in sorted(folders):
        if f"tests/arch/{arch}.c" not in tree.files:
            yield f"there is no tests/arch/{arch}.c: arch.h says what it has"


def only_backends_ask_for_an_architecture(tree):
    """No architecture is chosen by the preprocessor, in library or tools, but where native stubs are named."""
    pattern = re.compile(r"^\s*#\s*(if|elif|ifdef|ifndef).*(__\w*(arch|x86|arm|riscv|mips|power|s390)|JF_NATIVE)", re.I)
    for name in tree.under("src/", "include/", "backends/", "tools/"):
        path = pathlib.PurePath(name)
        native = {"backend.c", "context.c", "native.S", path.parts[1] + ".h"}
        if path.parts[0] == "backends" and path.name in native:
            continue
        for number, line in lines_with(tree.text(name), pattern):
            yield f"{name}:{number}: {line.strip()}"


def backends_have_the_same_files(tree):
    folders = {}
    for name in tree.under("backends/"):
        parts = pathlib.PurePath(name).parts
        if len(parts) == 3:
            folders.setdefault(parts[1], set()).add(parts[2].replace(parts[1], "ARCH"))
        elif len(parts) > 3:
            yield f"{name} is in a folder of its own"
    if len(folders) < 2:
        yield "there are no two backends to compare"
    for arch, files in folders.items():
        more = re.search(r"^more_sources = (.*)", tree.text(f"backends/{arch}/platform.conf"), re.M)
        files.difference_update(more.group(1).split() if more else ())
    everything = set().union(*folders.values())
    for arch, files in folders.items():
        for file in sorted(everything - files):
            yield f"backends/{arch} has no {file.replace('ARCH', arch)}"


def every_noun_has_its_header_source_or_both(tree):
    """The words of include/jitframe and src are the same, but for headers of plain data and sources of one step."""
    data = {"export", "types", "reg", "jitframe"}
    renamed = {"body": "hooks", "codemap": "map", "program": "passes"}  # the noun is the folder's, or another
    sources = {pathlib.PurePath(name).stem for name in tree.under("src/")}
    for name in tree.headers():
        noun = pathlib.PurePath(name).stem
        if noun not in data and renamed.get(noun, noun) not in sources:
            yield f"{name} has no source of that name in src/"


def the_umbrella_has_every_header(tree):
    umbrella = tree.text("include/jitframe/jitframe.h")
    installed = tree.text("include/jitframe/meson.build")
    reached = " ".join(tree.text(name) for name in tree.headers())
    for name in tree.headers():
        header = pathlib.PurePath(name).name
        if header != "jitframe.h" and f"<jitframe/{header}>" not in umbrella:
            if f"<jitframe/{header}>" not in reached or header not in ("export.h", "types.h"):
                yield f"jitframe.h does not include {header}"
        if f"'{header}'" not in installed:
            yield f"{header} is not installed"


# What users' builds may ask of the headers that they include, beside -Wall and -Wextra.
WARNINGS = ["-Wpedantic", "-Wshadow"]
C_COMPILERS = [["gcc"], ["clang", "clang-19", "clang-14"]]
CXX_COMPILERS = [["g++"], ["clang++", "clang++-19", "clang++-14"]]


def headers_compiled(tree, own, others, options):
    """Each alone with the build's own compiler, and all of them with GCC and clang where these are there."""
    jobs = {own[0]: (own, tree.headers())} if own else {}
    for names in others:
        found = next(filter(None, map(shutil.which, names)), None)
        if found:
            jobs.setdefault(found, ([found], ["include/jitframe/jitframe.h"]))
    if not jobs:
        raise Skip("there is no compiler")
    for command, headers in jobs.values():
        for name in headers:
            source = f"#include <jitframe/{pathlib.PurePath(name).name}>\ntypedef int not_empty;\n"
            error = tree.compile([*command, *options, *WARNINGS], source)
            if error:
                yield f"{name}: {error}"


def headers_stand_alone_in_c(tree):
    yield from headers_compiled(tree, tree.cc, C_COMPILERS, ["-std=c11", "-x", "c", "-Wstrict-prototypes"])


def headers_stand_alone_in_cxx(tree):
    yield from headers_compiled(tree, tree.cxx, CXX_COMPILERS, ["-std=c++17", "-x", "c++"])


def headers_have_guards_of_their_name(tree):
    for name in tree.headers():
        guard = "JF_" + pathlib.PurePath(name).stem.upper() + "_H"
        text = tree.text(name)
        if f"#ifndef {guard}\n#define {guard}\n" not in text:
            yield f"{name} has no guard {guard}"
        if "JF_API" in text and "JF_BEGIN_DECLS" not in text:
            yield f"{name} has functions and no JF_BEGIN_DECLS"


def exported(tree):
    run = subprocess.run([*tree.nm, "-D", "--defined-only", tree.library], capture_output=True, text=True, check=True)
    symbols = [line.split() for line in run.stdout.splitlines()]
    # Absolute symbols are version names.
    return {fields[-1].split("@")[0] for fields in symbols if len(fields) >= 2 and fields[-2] not in "AaUw"}


def declared(tree):
    names = set()
    for name in tree.headers():
        text = re.sub(r"^\s*#.*(\\\n.*)*", "", without_comments(tree.text(name)), flags=re.M)
        names.update(EXPORT.findall(text))
    return names


# Names that GDB's JIT interface prescribes; nobody calls them by a header.
GIVEN_NAMES = {"__jit_debug_descriptor", "__jit_debug_register_code"}


def exported_symbols_are_declared(tree):
    for symbol in sorted(exported(tree) - declared(tree) - GIVEN_NAMES):
        yield f"{symbol} is exported, and in no public header"


def declared_functions_are_exported(tree):
    names = declared(tree)
    if len(names) < 50:
        yield f"only {len(names)} declarations were found: {sorted(names)}"
    for symbol in sorted(names - exported(tree)):
        yield f"{symbol} is declared JF_API, and not exported"


def exported_symbols_have_a_version(tree):
    """src/jitframe.map names each one, with the version of the library that had it first."""
    listed = re.findall(r"^\s*(jf_\w+);", tree.text("src/jitframe.map"), re.M)
    for symbol in sorted(set(listed) ^ declared(tree)):
        yield f"{symbol} is in src/jitframe.map or declared JF_API, and not both"
    if listed != sorted(listed):
        yield "src/jitframe.map is out of order"


def the_version_is_the_same_everywhere(tree):
    header = tree.text("include/jitframe/version.h")
    parts = [re.search(rf"#define JF_VERSION_{name} (\d+)\n", header).group(1) for name in ("MAJOR", "MINOR", "PATCH")]
    if not str(tree.library).endswith(".so." + ".".join(parts)):
        yield f"{tree.library} is not of version {'.'.join(parts)}, which include/jitframe/version.h has"


def exported_symbols_have_the_prefix(tree):
    for symbol in sorted(exported(tree) - GIVEN_NAMES):
        if not symbol.startswith("jf_"):
            yield symbol


def names_can_be_searched_for(tree):
    """No token pasting: what the debugger shows, grep finds."""
    for name in tree.under("src/", "include/", "backends/"):
        for number, line in lines_with(tree.text(name), re.compile(r"\w\s*##\s*\w")):
            if name.endswith((".c", ".h", ".S")):
                yield f"{name}:{number}: {line.strip()}"


def the_library_neither_prints_nor_exits(tree):
    """One place ends the process: an exception that nothing catches, in src/walk/throw.c. Others read errno behind a
    system call, or keep errno for the handler of a signal."""
    reads_errno = {"src/codemap/section.c", "src/publish/perf_file.c", "src/walk/backtrace_print.c"}
    pattern = re.compile(r"\b(printf|fprintf|puts|perror|exit|_exit|abort|errno)\b\s*[(;=]?")
    but_errno = re.compile(r"\b(printf|fprintf|puts|perror|exit|_exit|abort)\b")
    for name in tree.under("src/", "backends/"):
        if not name.endswith((".c", ".h")) or name == "src/walk/throw.c":
            continue
        forbidden = but_errno if name in reads_errno else pattern
        for number, line in lines_with(without_comments(tree.text(name)), forbidden):
            yield f"{name}:{number}: {line.strip()}"


def memory_comes_from_one_place(tree):
    """What a test cannot refuse, no test has seen refused: all of it goes through src/base/memory.c."""
    pattern = re.compile(
        r"\b(malloc|calloc|realloc|free|strdup|aligned_alloc|posix_memalign|mmap|munmap|mremap|mprotect|memfd_create)\s*\("
    )
    for name in tree.under("src/", "backends/"):
        if name.endswith((".c", ".h")) and name != "src/base/memory.c":
            for number, line in lines_with(without_comments(tree.text(name)), pattern):
                yield f"{name}:{number}: {line.strip()}"


def nothing_points_to_a_machine(tree):
    """No folder of somebody's machine, no address, and no host that is not known to everybody."""
    folder = re.compile(r"(?<![\w.$}/-])/(work|home|root|Users|mnt|srv|opt)/")
    address = re.compile(r"\b(\d{1,3}\.){3}\d{1,3}\b|\blocalhost\b")
    host = re.compile(r"\b(?:https?|ftp|git|ssh)://([\w.-]+)")
    for name, text in tree.texts():
        if name == "tests/tree/tree.py":
            continue
        for pattern in (folder, address):
            for number, line in lines_with(text, pattern):
                yield f"{name}:{number}: {line.strip()}"
        for match in host.finditer(text):
            if match.group(1) not in HOSTS:
                yield f"{name} points to {match.group(1)}"


# ---- TAP ---------------------------------------------------------------------------------------------------


def variables(tree):
    """Of the library: what a process can change. Compilers number the statics of functions: lock.0."""
    run = subprocess.run([*tree.nm, "-f", "sysv", tree.library], capture_output=True, text=True, check=True)
    symbols = [[field.strip() for field in line.split("|")] for line in run.stdout.splitlines()]
    places = {".bss", ".data", ".tbss", ".tdata"}
    names = {fields[0].split(".")[0] for fields in symbols if len(fields) == 7 and fields[6] in places}
    names = {name for name in names if name and name != "completed"}
    return {name for name in names if name in GIVEN_NAMES or not name.startswith("__")}


def the_page_of_the_process_names_every_variable(tree):
    rows = [line.split("|")[2] for line in tree.text("docs/process.md").splitlines() if line.startswith("| `src/")]
    named = set(re.findall(r"`(\w+)`", " ".join(rows)))
    there = variables(tree)
    if not there:
        raise Skip("the library has no symbols")
    for name in sorted(there - named):
        yield f"docs/process.md: no row names the variable {name}"
    for name in sorted(named - there):
        yield f"docs/process.md names {name}, which the library does not have"


TESTS = [
    the_core_names_no_architecture,
    folders_of_the_core_include_downwards,
    folders_of_the_core_have_no_circles,
    public_headers_name_an_architecture_in_comments_alone,
    tools_name_an_architecture_in_comments_alone,
    a_new_architecture_is_listed_once,
    listed_backends_have_their_files,
    only_backends_ask_for_an_architecture,
    backends_have_the_same_files,
    every_noun_has_its_header_source_or_both,
    the_umbrella_has_every_header,
    headers_stand_alone_in_c,
    headers_stand_alone_in_cxx,
    headers_have_guards_of_their_name,
    exported_symbols_are_declared,
    declared_functions_are_exported,
    exported_symbols_have_the_prefix,
    exported_symbols_have_a_version,
    the_version_is_the_same_everywhere,
    the_page_of_the_process_names_every_variable,
    form.files_say_their_licence,
    form.files_are_not_long,
    form.lines_end_where_they_seem_to,
    form.c_is_indented_with_tabs,
    form.lines_of_c_are_not_wide,
    form.c_has_the_formatters_form,
    names_can_be_searched_for,
    the_library_neither_prints_nor_exits,
    memory_comes_from_one_place,
    nothing_points_to_a_machine,
    pages.pages_name_paths_that_exist,
    pages.pages_link_to_what_exists,
    pages.the_index_lists_every_page,
    pages.the_glossary_is_in_order_and_linked,
    pages.the_page_of_compatibility_names_every_struct,
]


def main(arguments):
    tree = Tree(*arguments)
    print(f"1..{len(TESTS)}", flush=True)
    for number, test in enumerate(TESTS, 1):
        try:
            faults = list(test(tree))
        except Skip as reason:
            print(f"ok {number} - {test.__name__} # SKIP {reason}", flush=True)
            continue
        print(f"{'not ok' if faults else 'ok'} {number} - {test.__name__}", flush=True)
        for fault in faults:
            print(f"# {fault}".replace("\n", "\n# "), flush=True)
            print(f"{test.__name__}: {fault}", file=sys.stderr)
    return 0  # what failed is said in TAP


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
