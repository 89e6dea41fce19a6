#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What GDB shows of BPF code: gdb.py GDB JITFRAME RUNNERS ARCH OBJECT SOURCE

The program of SOURCE (seen.bpf.c) runs under GDB, natively or behind QEMU's stub, and GDB's answers are compared.
RUNNERS are the folders of jf-runner-ARCH, apart by colons; JITFRAME_RUNNER_PATH comes before them. Prints TAP.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

# GDB takes a second; with other tests beside it, more.
SECONDS = 120
CONTEXT = bytes([7]) + bytes(63)


class Session:
    def __init__(self, gdb, jitframe, runners, arch, object_file, source):
        self.gdb, self.jitframe, self.object_file = gdb, jitframe, object_file
        self.lines = pathlib.Path(source).read_text(encoding="utf-8").splitlines()
        self.source = pathlib.Path(source).name
        archs = json.loads(subprocess.run([jitframe, "archs", "--json"], capture_output=True, check=True).stdout)
        self.arch = next(one for one in archs["archs"] if one["name"] == arch)
        self.runner = self.find_runner(runners)

    def find_runner(self, runners):
        given = os.environ.get("JITFRAME_RUNNER_PATH", "")
        for folder in [*given.split(":"), *runners.split(":")]:
            for below in ("", "runner"):
                path = pathlib.Path(folder, below, f"jf-runner-{self.arch['name']}")
                if folder and path.exists():
                    return path
        return None

    def line(self, text):
        """The number of the line with this text."""
        numbers = [number for number, line in enumerate(self.lines, 1) if text in line]
        assert len(numbers) == 1, f"{text}: lines {numbers}"
        return numbers[0]

    def command(self):
        convention = next(one["name"] for one in self.arch["conventions"] if "user" in one["name"])
        return [self.jitframe, "run", "--target", f"{self.arch['name']}/{convention}", "--publish", "gdb",
                "--ctx", CONTEXT.hex(), self.object_file]

    def script(self, commands):
        """Each command's answer behind a line of its own, so that answers can be told apart."""
        first = ["set pagination off", "set confirm off", "set breakpoint pending on", "set width 0",
                 "set debuginfod enabled off"]
        marked = []
        for command in commands:
            marked += [f"echo \\n@{command}\\n", command]
        return first, marked

    def run(self, folder, commands, after=()):
        """`after`: commands once the process is there."""
        script = pathlib.Path(folder, "commands")
        variable = f"JITFRAME_QEMU_{self.arch['name'].upper()}"
        first, marked = self.script(commands)
        if self.arch["host"]:
            script.write_text("\n".join([*first, "break main", "run", *marked]) + "\n", encoding="utf-8")
            env = {**os.environ, variable: f"{self.gdb} -nx -q -batch -x {script} --args"}
            run = subprocess.run(self.command(), capture_output=True, text=True, timeout=SECONDS, check=False, env=env)
            return run.stdout + run.stderr
        return self.run_remotely(folder, script, variable, first, marked)

    def run_remotely(self, folder, script, variable, first, marked):
        machine, triple = self.arch["llvm_triple"].split("-")[0], f"{self.arch['llvm_triple'].split('-')[0]}-linux-gnu"
        socket = pathlib.Path(folder, "stub")
        there = [f"file {self.runner}", f"set sysroot /usr/{triple}", f"target remote {socket}"]
        script.write_text("\n".join([*first, *there, *marked]) + "\n", encoding="utf-8")
        env = {**os.environ, variable: f"qemu-{machine} -g {socket} -L /usr/{triple}"}
        with subprocess.Popen(self.command(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              env=env) as process:
            try:
                for _ in range(SECONDS * 20):
                    if socket.exists() or process.poll() is not None:
                        break
                    time.sleep(0.05)
                run = subprocess.run([self.gdb, "-nx", "-q", "-batch", "-x", script], capture_output=True, text=True,
                                     timeout=SECONDS, check=False)
                output = process.communicate(timeout=SECONDS)[0]
            finally:
                process.kill()
        return run.stdout + run.stderr + output


def answers(output):
    """command -> what GDB said to it, in the order of the script."""
    found = []
    for part in re.split(r"^@", output, flags=re.M)[1:]:
        command, _, text = part.partition("\n")
        found.append((command, text))
    return found


def checks(session, output):
    """Each: its name, a pattern, and the text where it has to be."""
    said = answers(output)

    def after(command, nth=0):
        texts = [text for other, text in said if other == command]
        return texts[nth] if nth < len(texts) else ""

    source = re.escape(session.source)
    in_inner, in_outer = session.line("jf_seventh((s32)value)"), session.line("= inner(")
    in_main = session.line("= outer(")
    frames = [
        r"#0  seventh \(",
        rf"#1  .* in inner \(\) at .*{source}:{in_inner}$",
        rf"#2  .* in outer \(\) at .*{source}:{in_outer}$",
        rf"#3  .* in seen \(\) at .*{source}:{in_main}$",
        r"#4  .* in jf_native_enter",
        r"#\d+ .* in main \(",
    ]
    return [
        ("a breakpoint by line stops", rf"Breakpoint \d+, outer \(\) at .*{source}:{in_outer}\n", after("continue")),
        ("the line is shown", rf"^{in_outer}\s.*inner\(value \* 2\);", after("continue")),
        ("a breakpoint by name stops", rf"Breakpoint \d+, inner \(\) at .*{source}:", after("continue", 1)),
        ("the stack goes from C through BPF to C", r"[\s\S]*".join(frames), after("backtrace")),
        ("code has its function's name", r"^inner \+ \d+ in section \.text", after("info symbol $pc")),
        ("code stands below its lines", rf"^{in_inner}\s.*jf_seventh[\s\S]*=> 0x", after("disassemble /s")),
        ("finish goes to the caller", rf"outer \(\) at .*{source}:\d+\n", after("finish")),
        ("finish shows R0", r"Value returned is \$1 = 3\n", after("finish")),
        ("main has its line", rf"^#0 .*seen \(\) at .*{source}:{in_main}", after("frame")),
        ("the program ends as without GDB", r"R0 = 0x67 \(103\)", output),
        ("nothing is left in the list", r"= \(struct jit_code_entry \*\) 0x0", after("print __jit_debug_descriptor.first")),
    ]


def main(arguments):
    session = Session(*arguments)
    if not session.runner and "JITFRAME_RUNNER_PATH" not in os.environ:
        print(f"1..0 # SKIP there is no jf-runner-{session.arch['name']}")
        return 0
    commands = [
        *(f"break {session.source}:{session.line('= inner(')}", "break inner", "continue", "continue"),
        *("break seventh", "continue", "backtrace", "up", "info symbol $pc", "disassemble /s", "finish"),
        *("delete", "finish", "frame", "break _exit", "continue", "print __jit_debug_descriptor.first", "continue"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        output = session.run(folder, commands)
    if "unknown architecture" in output:
        print(f"1..0 # SKIP {session.gdb} knows nothing of {session.arch['name']}")
        return 0
    failed = 0
    wanted = checks(session, output)
    print(f"1..{len(wanted)}")
    for number, (name, pattern, text) in enumerate(wanted, 1):
        good = re.search(pattern, text, re.M) is not None
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if failed:
        print("\n".join("# " + line for line in output.splitlines()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
