#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What GDB shows of BPF code: gdb.py GDB JITFRAME RUNNERS ARCH OBJECT SOURCE

The program of SOURCE, seen.bpf.c, runs under GDB, natively or behind QEMU's stub, and GDB's answers are compared.
Prints TAP.
"""

import pathlib
import re
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True  # the source tree stays as it is

from seen import RESULT, SECONDS, Seen

# What GDB says where it cannot do its work, whatever it debugs.
WHY_NOT = {
    "unknown architecture": "this GDB knows nothing of the architecture",
    "Operation not permitted": "no process may be traced here",
}
# first_entry of the descriptor, by its place: the build has line tables, and no types.
FIRST_FILE = "print *(void **)((char *)&__jit_debug_descriptor + 16)"


def script(first, commands):
    """Each command's answer comes behind a line of its own, so that answers can be told apart."""
    lines = ["set pagination off", "set confirm off", "set breakpoint pending on", "set width 0", *first]
    for command in commands:
        lines += [f"echo \\n@{command}\\n", command]
    return "\n".join(lines) + "\n"


def natively(gdb, seen, folder, commands):
    """Also of a core file, made where the stack was looked at."""
    file, core = pathlib.Path(folder, "commands"), pathlib.Path(folder, "core")
    at = commands.index("backtrace") + 1
    with_core = [*commands[:at], f"generate-core-file {core}", *commands[at:]]
    file.write_text(script(["break main", "run"], with_core), encoding="utf-8")
    run = subprocess.run(seen.command("--publish", "gdb"), capture_output=True, text=True, timeout=SECONDS, check=False,
                         env=seen.emulator(f"{gdb} -nx -q -batch -x {file} --args"))
    dead = subprocess.run([gdb, "-nx", "-q", "-batch", "-ex", "backtrace", seen.runner, core], capture_output=True,
                          text=True, timeout=SECONDS, check=False)
    return f"{run.stdout}{run.stderr}\n@core\n{dead.stdout}{dead.stderr}"


def behind_a_stub(gdb, seen, folder, commands):
    file, socket = pathlib.Path(folder, "commands"), pathlib.Path(folder, "stub")
    there = [f"file {seen.runner}", f"set sysroot {seen.sysroot()}", f"target remote {socket}"]
    file.write_text(script(there, commands), encoding="utf-8")
    emulator = f"qemu-{seen.machine} -g {socket} -L {seen.sysroot()}"
    with subprocess.Popen(seen.command("--publish", "gdb"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=seen.emulator(emulator)) as process:
        try:
            for _ in range(SECONDS * 20):
                if socket.exists() or process.poll() is not None:
                    break
                time.sleep(0.05)
            run = subprocess.run([gdb, "-nx", "-q", "-batch", "-x", file], capture_output=True, text=True,
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


def checks(seen, output):
    """Each: its name, a pattern, and the text where it has to be."""
    said = answers(output)

    def after(command, nth=0):
        texts = [text for other, text in said if other == command]
        return texts[nth] if nth < len(texts) else ""

    source = re.escape(seen.source)
    in_inner, in_outer = seen.line("jf_seventh((s32)value)"), seen.line("= inner(")
    in_main = seen.line("= outer(")
    frames = [
        r"#0  seventh \(",
        rf"#1  .* in inner \(\) at .*{source}:{in_inner}$",
        rf"#2  .* in outer \(\) at .*{source}:{in_outer}$",
        rf"#3  .* in seen \(\) at .*{source}:{in_main}$",
        r"#4  .* in jf_native_enter",
        r"#\d+ .* in main \(",
    ]
    core = [("a core file has the same stack", r"[\s\S]*".join(frames), after("core"))] if seen.arch["host"] else []
    return [
        *core,
        ("a breakpoint by line stops", rf"Breakpoint \d+, outer \(\) at .*{source}:{in_outer}\n", after("continue")),
        ("the line is shown", rf"^{in_outer}\s.*inner\(value \* 2\);", after("continue")),
        ("a breakpoint by name stops", rf"Breakpoint \d+, inner \(\) at .*{source}:", after("continue", 1)),
        ("the stack goes from C through BPF to C", r"[\s\S]*".join(frames), after("backtrace")),
        ("code has its function's name", r"^inner \+ \d+ in section \.text", after("info symbol $pc")),
        ("code stands below its lines", rf"^{in_inner}\s.*jf_seventh[\s\S]*=> 0x", after("disassemble /s")),
        ("finish goes to the caller", rf"outer \(\) at .*{source}:\d+\n", after("finish")),
        ("finish shows R0", r"Value returned is \$1 = 3\n", after("finish")),
        ("main has its line", rf"^#0 .*seen \(\) at .*{source}:{in_main}", after("frame")),
        ("next goes to the next line", rf"^{seen.line('spin(ctx->a[1])')}\t", after("next")),
        ("the program ends as without GDB", re.escape(RESULT), output),
        ("nothing is left in the list", r"= \(void \*\) 0x0", after(FIRST_FILE)),
    ]


def main(gdb, *arguments):
    seen = Seen(*arguments)
    if seen.why_not():
        print(f"1..0 # SKIP {seen.why_not()}")
        return
    commands = [
        *(f"break {seen.source}:{seen.line('= inner(')}", "break inner", "continue", "continue"),
        *("break seventh", "continue", "backtrace", "up", "info symbol $pc", "disassemble /s", "finish"),
        *("delete", "finish", "frame", "next", "break _exit", "continue", FIRST_FILE, "continue"),
    ]
    with tempfile.TemporaryDirectory() as folder:
        output = (natively if seen.arch["host"] else behind_a_stub)(gdb, seen, folder, commands)
    for sign, reason in WHY_NOT.items():
        if sign in output:
            print(f"1..0 # SKIP {reason}")
            return
    failed = False
    wanted = checks(seen, output)
    print(f"1..{len(wanted)}")
    for number, (name, pattern, text) in enumerate(wanted, 1):
        good = re.search(pattern, text, re.M) is not None
        failed |= not good
        print(f"{'ok' if good else 'not ok'} {number} - {name}")
    if failed:
        print("\n".join("# " + line for line in output.splitlines()))


if __name__ == "__main__":
    main(*sys.argv[1:])
