#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
Makes programs of this machine of the BPF JITs of a Linux tree: scripts/kernel-jit calls this.

What differs between architectures is in arch/ARCH: jit.conf, and arch.h behind kernel.h. Lines of jit.conf, and of
common.conf for all (a # begins a remark, paths are the tree's):

    triple NAME                 LLVM's name of the architecture
    source FILE                 compiled as it is
    rewrite PATTERN => TEXT     in a copy of the source: what the pattern finds becomes the text
    local FILE                  a header beside a source
    header NAME FILE            #include <NAME> gets the tree's file
    empty NAME...               #include <NAME> gets nothing: kernel.h and arch.h have what is needed of it
    system NAME...              #include <NAME> gets the C library's
    into NAME                   a header of cut pieces; what follows is cut into that
    cut FILE WISH...            cut.py says what a wish is; FILE,FILE is the first one that the tree has
    probe MACRO FILE PATTERN    the macro is defined where the pattern is found
    address NAME HEX            a made-up address of something that generated code refers to
    base HEX                    where code stands
    base_in_place HEX           the same for a JIT that writes code where it stands
    run BASE CALL_BASE          where code, and the functions that it calls, stand in a process of the architecture; none:
                                nobody runs the code
    per_cpu NAME                code adds the word there to addresses in the processor's own memory
    relocate MASK MATCH FLIP    words of code that have a part of an address, and bits under the mask that match: the
                                bits of FLIP are the other way in a process
    config NAME SYMBOL on|off   CONFIG_SYMBOL, or some with commas between, and its name on the command line
    feature NAME on|off         what the processor has, asked for while a program is compiled
    gives WHAT NAME             with that configuration or feature, frames have landing_pads or sign_return, or atomic
                                operations are atomic_insns, as struct jf_compile_opts has them
    captured FEATURE            with -FEATURE: of the machine that tests/size was captured on
    offsets first|second|end    the JIT tells where instructions begin from the first one or, unless there is this line,
                                from the second one on, or where they end
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

from cut import cut

HERE = pathlib.Path(__file__).resolve().parent
CFLAGS = (
    "-std=gnu11 -O1 -g0 -fms-extensions -fno-strict-aliasing -fwrapv -funsigned-char -fno-pic -fno-pie "
    "-mcmodel=large -ffunction-sections -fdata-sections -fno-builtin "
    "-Werror=implicit-function-declaration -Werror=implicit-int -Werror=int-conversion "
    "-Werror=incompatible-pointer-types"
).split()
# Of what generated code never refers to, each its own page: an address that shows in code, or is called, has a name. The
# lower half is no number that programs have, too: tests look for it.
ELSEWHERE = 0x6F005A5A0000


SHOWN = 12  # lines of a compiler
OLDEST = [6, 12]  # of Linux


class Failed(Exception):
    """What was missing, one line each."""


class Conf:
    def __init__(self, *paths):
        self.lines = []
        for path in paths:
            for line in path.read_text().splitlines():
                words = re.sub(r"(^|\s)#.*", "", line).split()
                if words:
                    self.lines.append(words)

    def all(self, key):
        return [words[1:] for words in self.lines if words[0] == key]

    def one(self, key, default=None):
        found = self.all(key)
        return found[-1][0] if found else default


class Tree:
    """A kernel tree, with the files of patches in front of the tree's own."""

    def __init__(self, *tops):
        self.tops = [pathlib.Path(top) for top in tops]

    def find(self, names):
        """The file of that name, or of the first of some names with commas between that the tree has."""
        return next((top / name for name in names.split(",") for top in self.tops if (top / name).exists()), None)

    def text(self, name):
        path = self.find(name)
        return path.read_text(errors="replace") if path else None

    def version(self):
        text = self.text("Makefile") or ""
        parts = [re.search(rf"^{key} =[ \t]*(\S*)", text, re.M) for key in ("VERSION", "PATCHLEVEL", "SUBLEVEL")]
        return ".".join(part.group(1) for part in parts if part) or "unknown"

    def shown_version(self):
        """What people, and tests that know a release, are told: the release alone for a tree without patches."""
        return self.version() + ("-patched" if len(self.tops) > 1 else "")

    def is_too_old(self):
        numbers = [int(part) for part in self.version().split(".") if part.isdigit()]
        return bool(numbers) and numbers < OLDEST


# ---- headers ---------------------------------------------------------------------------------------------------


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target.resolve())


def place_headers(conf, tree, out, missing):
    for name, file in conf.all("header"):
        found = tree.find(file)
        if found:
            link(out / "include" / name, found)
        else:
            missing.append(f"there is no {file}")
    for names in conf.all("empty"):
        for name in names:
            path = out / "include" / name
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("")


def cut_headers(conf, tree, out, missing):
    pieces, into = {}, None
    for key, *words in conf.lines:
        if key == "into":
            into = words[0]
            pieces.setdefault(into, "")
        elif key == "cut":
            text = tree.text(words[0])
            if text is None:
                missing.append(f"there is no {words[0]}")
                continue
            found, lacking = cut(text, words[1:])
            pieces[into] += found
            missing += [f"{words[0]} has no {wish}" for wish in lacking]
    for name, text in pieces.items():
        (out / "include" / name).write_text(text)


def rewrite(conf, file, path, missing):
    text = path.read_text()
    for words in conf.all("rewrite"):
        pattern, _, replacement = " ".join(words).partition(" => ")
        text, count = re.subn(pattern, replacement, text)
        if not count:
            missing.append(f"{file} has nothing like {pattern}")
    path.unlink()
    path.write_text(text)


def place_sources(conf, tree, out, missing):
    """Links beside each other, so that a patched file is found in front of the tree's."""
    placed = []
    for key in ("source", "local"):
        for (file,) in conf.all(key):
            found = tree.find(file)
            if not found:
                missing.append(f"there is no {file}")
                continue
            path = out / "source" / pathlib.PurePath(file).name
            link(path, found)
            if key == "source" and conf.all("rewrite"):
                rewrite(conf, file, path, missing)
            placed.append((file, path, key == "source"))
    return placed


INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)


def check_includes(conf, tree, out, sources, missing):
    """Every file that is included has to be there before the compiler stops at the first that is not."""
    queue = [(file, path) for file, path, _ in sources]
    queue += [(file, tree.find(file)) for _, file in conf.all("header") if tree.find(file)]
    system = {name for names in conf.all("system") for name in names}
    for file, path in queue:
        text = path.read_text(errors="replace")
        for match in INCLUDE.finditer(text):
            name = match.group(2)
            places = [out / "include" / name] + ([path.parent / name] if match.group(1) == '"' else [])
            if name not in system and not any(place.exists() for place in places):
                line = text.count("\n", 0, match.start(2)) + 1
                missing.append(f"{file}:{line} includes {name}, which tools/kernel-jit does not have")


# ---- configuration -----------------------------------------------------------------------------------------------


def c_string(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def configure(conf, chosen):
    """returns: macros for the compiler, and the configuration as words."""
    macros, words = [], []
    for name, symbol, default in conf.all("config"):
        value = chosen.get(name, default)
        if value == "on":
            macros += [f"-DCONFIG_{one}=1" for one in symbol.split(",")]
        words.append(name if value == "on" else f"-{name}")
    return macros, words


def gives(conf, words):
    on = set(words) | {name for name, value in conf.all("feature") if value == "on"}
    return "".join(f" {what}" for what, name in conf.all("gives") if name in on)


def write_features(conf, out):
    features = conf.all("feature")
    names = "".join(f"\tFEATURE_{name.replace('-', '_')} = {bit},\n" for bit, (name, _) in enumerate(features))
    default = sum(1 << bit for bit, (_, value) in enumerate(features) if value == "on")
    texts = ", ".join([c_string(name) for name, _ in features] or ['""'])
    (out / "include" / "tree_features.h").write_text(
        f"enum {{\n{names}\tFEATURE__COUNT\n}};\n#define FEATURES_DEFAULT {default:#x}ULL\n"
        f"static const char *const kernel_jit_feature_names[] = {{{texts}}};\n"
    )


def probe(conf, tree):
    for words in conf.all("probe"):
        macro, file, pattern = words[0], words[1], " ".join(words[2:])
        if re.search(pattern, tree.text(file) or ""):
            yield f"-D{macro}=1"


# ---- compiling -------------------------------------------------------------------------------------------------


def run(command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if re.search(r"\berror:|undefined reference", line)]
        lines = lines or done.stderr.splitlines()
        more = [f"... and {len(lines) - SHOWN} more"] if len(lines) > SHOWN else []
        raise Failed("\n".join(lines[:SHOWN] + more))
    return done.stdout


def undefined(objects, compiler):
    """Names that the objects leave to the linker and that are not the C library's."""
    lines = run([os.environ.get("NM", "nm"), "-P", *objects]).splitlines()
    wanted, defined = set(), set()
    for line in lines:
        words = line.split()
        if len(words) > 1:
            (wanted if words[1] == "U" else defined).add(words[0])
    left = sorted(wanted - defined)
    test = subprocess.run(
        [compiler, "-no-pie", "-o", os.devnull, *objects], capture_output=True, text=True, env={**os.environ, "LC_ALL": "C"}
    )
    reported = set(re.findall(r"undefined reference to [`']([^']+)'", test.stderr))
    return [name for name in left if name in reported]


def build(arch, tree, out, chosen, compiler):
    folder = HERE / "arch" / arch
    conf = conf_of(arch)
    missing = []
    shutil.rmtree(out, ignore_errors=True)
    (out / "include").mkdir(parents=True)
    sources = place_sources(conf, tree, out, missing)
    place_headers(conf, tree, out, missing)
    cut_headers(conf, tree, out, missing)
    check_includes(conf, tree, out, sources, missing)
    if missing:
        raise Failed("\n".join(dict.fromkeys(missing)))
    write_features(conf, out)
    macros, words = configure(conf, chosen)
    texts = [path.read_text(errors="replace") for _, path, is_source in sources if is_source]
    in_place = any(re.search(r"\bbpf_jit_binary_alloc\(", text) for text in texts)
    base = conf.one("base_in_place") if in_place else conf.one("base")
    macros += probe(conf, tree)
    macros += [f"-DKERNEL_JIT_PER_CPU={name}" for (name,) in conf.all("per_cpu")]
    macros += [
        f"-DKERNEL_JIT_OFFSETS=OFFSETS_{conf.one('offsets', 'second').upper()}",
        f"-DKERNEL_JIT_ARCH={c_string(arch)}",
        f"-DKERNEL_JIT_TRIPLE={c_string(conf.one('triple'))}",
        f"-DKERNEL_JIT_TREE={c_string(tree.shown_version())}",
        f"-DKERNEL_JIT_GIVES={c_string(gives(conf, words))}",
        f"-DKERNEL_JIT_CONFIG={c_string(''.join(' ' + word for word in words))}",
        f"-DKERNEL_JIT_RELOCATE={c_string(' '.join(sum(conf.all('relocate'), [])))}",
    ]
    includes = [f"-I{folder}", f"-I{HERE}", f"-I{out / 'include'}", "-include", str(HERE / "kernel.h")]
    objects = []
    files = [path for _, path, is_source in sources if is_source] + sorted(HERE.glob("*.c"))
    for file in files:
        objects.append(str(out / (file.stem + ".o")))
        run([compiler, *CFLAGS, *macros, *includes, "-c", str(file), "-o", objects[-1]])
    addresses = {name: int(value, 16) for name, value in conf.all("address")}
    unknown = [name for name in undefined(objects, compiler) if name not in (*addresses, BASE)]
    addresses.update({name: ELSEWHERE + 4096 * index for index, name in enumerate(unknown)})
    place(objects, compiler, {**addresses, BASE: int(base, 16)}, out / "jit")
    if conf.all("run"):
        place(objects, compiler, in_a_process(conf, addresses), out / "jit-run")
    (out / "made-up").write_text("".join(f"{value:x} {name}\n" for name, value in sorted(addresses.items())))
    return words, unknown


BASE, CALL_BASE = "kernel_jit_base", "__bpf_call_base"


def place(objects, compiler, addresses, path):
    symbols = [f"-Wl,--defsym={name}={value:#x}" for name, value in addresses.items()]
    run([compiler, "-no-pie", "-Wl,--gc-sections", "-o", str(path), *objects, *symbols])


def in_a_process(conf, addresses):
    """What jit.conf has an address for keeps its distance from the call base."""
    base, call_base = (int(word, 16) for word in conf.all("run")[0])
    moved = {name: addresses[name] - addresses[CALL_BASE] + call_base for name, _ in conf.all("address")}
    return {**addresses, **moved, BASE: base}


# ---- the command line --------------------------------------------------------------------------------------------


def conf_of(arch):
    return Conf(HERE / "common.conf", HERE / "arch" / arch / "jit.conf")


def archs():
    return sorted(path.parent.name for path in HERE.glob("arch/*/jit.conf"))


def chosen_config(words, names):
    """--config NAME or NAME=on|off of any of the architectures that are built."""
    chosen = {}
    for word in words:
        name, _, value = word.partition("=")
        if value not in ("", "on", "off"):
            sys.exit(f"kernel-jit: --config {word}: on or off")
        known = {option for arch in names for option, _, _ in conf_of(arch).all("config")}
        if name not in known:
            sys.exit(f"kernel-jit: there is no option {name}; there are: {' '.join(sorted(known))}")
        chosen[name] = value or "on"
    return chosen


def print_options():
    for arch in archs():
        conf = conf_of(arch)
        print(arch)
        for key in ("config", "feature"):
            print(f"  {key:8}", *(words[0] if words[-1] == "on" else f"-{words[0]}" for words in conf.all(key)))


def said(error):
    """The lines of what was in the way: a tree's own, or the system's of a file that cannot be read or written."""
    return [f"{error.filename}: {error.strerror}"] if isinstance(error, OSError) else str(error).splitlines()


def main():
    parser = argparse.ArgumentParser(prog="kernel-jit build")
    parser.add_argument("--options", action="store_true", help="print what can be chosen, and do nothing")
    parser.add_argument("--tree", action="append", help="a kernel tree; a file comes from the first one that has it")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--arch", action="append", default=[])
    parser.add_argument("--config", action="append", default=[], metavar="NAME[=on|off]")
    args = parser.parse_args()
    if args.options:
        print_options()
        return
    if not args.tree or not args.out:
        parser.error("--tree and --out are needed")
    names = args.arch or archs()
    for name in names:
        if name not in archs():
            sys.exit(f"kernel-jit: there is no architecture {name}; there are: {' '.join(archs())}")
    chosen = chosen_config(args.config, names)
    compiler = os.environ.get("CC", "gcc")
    tree, failed = Tree(*args.tree), False
    for name in names:
        try:
            words, unknown = build(name, tree, args.out / name, chosen, compiler)
        except (Failed, OSError) as error:
            failed = True
            shutil.rmtree(args.out / name, ignore_errors=True)
            for line in said(error):
                print(f"kernel-jit: {name}: {line}", file=sys.stderr)
            continue
        print(f"{name}: Linux {tree.shown_version()}: {args.out / name}/jit ({' '.join(words)})")
        if unknown:
            print(f"  {len(unknown)} names that tools/kernel-jit does not have stand at made-up addresses: {args.out / name}/made-up")
    if failed and tree.is_too_old():
        oldest = ".".join(map(str, OLDEST))
        print(f"kernel-jit: the tree is of Linux {tree.version()}: {oldest} or newer is wanted", file=sys.stderr)
    sys.exit(failed)


if __name__ == "__main__":
    main()
