#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""
The selftests of a tree, by the tree's JIT, as a table: scripts/kernel-jit calls this.

Exit status 0: no rule is broken, every result is the stated one, and every register is kept.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True
import build  # noqa: E402
import judge  # noqa: E402
import programs  # noqa: E402
import table  # noqa: E402


def about(jit):
    """What the JIT says of itself, by the first word of each line."""
    done = subprocess.run([jit / "jit", "--about"], capture_output=True, text=True, check=True)
    return dict(line.partition(" ")[::2] for line in done.stdout.splitlines())


def head(said):
    lacking = "" if said["exceptions"] == "1" else "; no exceptions: boundary and callback are not told apart"
    return f"Linux {said['tree']}{lacking}"


def all_programs(tops, objects):
    conf = programs.Conf((programs.HERE / "selftests.conf").read_text())
    stated = programs.results(conf, build.Tree(*tops))
    return [program for path in sorted(objects.glob("*.bpf.o")) for program in programs.of_object(conf, stated, path)]


def without_patches(args, arch, said, wanted, rows):
    """Of the programs that a JIT with patches does not take: their rows by the JIT of the tree as it is."""
    left = [program for program, row in zip(wanted, rows) if not row.level()]
    if len(args.tree) == 1 or not left:
        return []
    chosen = {word.removeprefix("-"): "off" if word.startswith("-") else "on" for word in said["config"].split()}
    folder = args.jits / "unpatched" / arch
    try:
        build.build(arch, build.Tree(args.tree[-1]), folder, chosen, os.environ.get("CC", "gcc"))
    except build.Failed as failed:
        print(f"kernel-jit: {arch}: without the patches: {failed}", file=sys.stderr)
        return []
    return judge.judge_all(judge.Command(args.jitframe, folder, about(folder)), left, args.jobs, runs=False)


def read_earlier(path):
    """Architecture -> the rows of an earlier --json."""
    try:
        return {made["arch"]: table.rows_of_json(made) for made in json.loads(path.read_text())["tables"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.exit(f"kernel-jit: --compare {path}: it is no file that --json has written: {error}")


class Pages:
    """A page of the code beside the table, for what is bad."""

    def __init__(self, path):
        self.path, self.folder = path, path.with_suffix(".pages")

    def write(self, arch, command, program, row):
        if row.state != judge.BAD or not row.functions:
            return None
        self.folder.mkdir(exist_ok=True)
        name = f"{arch}-{program.source}-{program.name}.html"
        command.ask("check", program.path, program.name, *program.options, "--html", str(self.folder / name))
        return f"{self.folder.name}/{name}"


def main():
    parser = argparse.ArgumentParser(prog="kernel-jit test")
    parser.add_argument("--jitframe", required=True, help="the command")
    parser.add_argument("--jits", type=pathlib.Path, required=True, help="the folder with ARCH/jit")
    parser.add_argument("--objects", type=pathlib.Path, required=True, help="the folder with NAME.bpf.o")
    parser.add_argument("--tree", action="append", required=True, help="a file comes from the first one that has it")
    parser.add_argument("--arch", action="append", required=True)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--all", action="store_true", help="print programs without a stated result, too")
    parser.add_argument("--compare", type=pathlib.Path, help="what --json has written before")
    parser.add_argument("--json", type=pathlib.Path)
    parser.add_argument("--html", type=pathlib.Path)
    args = parser.parse_args()
    earlier = read_earlier(args.compare) if args.compare else {}
    made, tables, bad = [], [], False
    for arch in args.arch:
        said = about(args.jits / arch)
        command = judge.Command(args.jitframe, args.jits / arch, said)
        wanted = all_programs(args.tree, args.objects)
        rows = judge.judge_all(command, wanted, args.jobs)
        judge.mark_worse(rows, without_patches(args, arch, said, wanted, rows), "the JIT without the patches")
        judge.mark_worse(rows, earlier.get(arch, []), args.compare)
        print(table.text(arch, head(said), rows, args.all), end="", flush=True)
        made.append(table.as_json(arch, head(said), rows))
        bad |= not any(row.functions for row in rows) or any(row.state == judge.BAD for row in rows)
        if args.html:
            pages = Pages(args.html)
            links = [pages.write(arch, command, one, row) for one, row in zip(wanted, rows)]
            tables.append(table.html_table(arch, head(said), rows, links))
    if args.json:
        args.json.write_text(json.dumps({"tables": made}, indent=1) + "\n")
    if args.html:
        args.html.write_text(table.page("Selftests by the tree's JIT", tables))
    sys.exit(bad)


if __name__ == "__main__":
    main()
