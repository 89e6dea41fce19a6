# SPDX-License-Identifier: BSD-2-Clause
"""The program that debuggers and profilers look at, seen.bpf.c, and where things are that run it."""

import json
import os
import pathlib
import struct
import subprocess

# Tests beside this one slow it down.
SECONDS = 120
# What main returns for an argument of 7.
RESULT = "R0 = 0x67 (103)"


class Seen:
    def __init__(self, jitframe, runners, arch, object_file, source):
        """RUNNERS: folders of jf-runner-ARCH, apart by colons; those of JITFRAME_RUNNER_PATH come before them."""
        self.jitframe, self.object_file = jitframe, str(pathlib.Path(object_file).resolve())
        self.lines = pathlib.Path(source).read_text(encoding="utf-8").splitlines()
        self.source = pathlib.Path(source).name
        archs = json.loads(subprocess.run([jitframe, "archs", "--json"], capture_output=True, check=True).stdout)
        self.arch = next(one for one in archs["archs"] if one["name"] == arch)
        self.machine = self.arch["llvm_triple"].split("-")[0]
        given = os.environ.get("JITFRAME_RUNNER_PATH", "")
        folders = [folder for folder in f"{given}:{runners}".split(":") if folder]
        self.env = {**os.environ, "JITFRAME_RUNNER_PATH": ":".join(folders)}
        places = [pathlib.Path(folder, f"jf-runner-{arch}") for folder in folders]
        self.runner = next((place for place in places if place.exists()), None)

    def why_not(self):
        """Why this architecture is left out; None when it is not. A runner that scripts/test has promised is there."""
        if self.runner or "JITFRAME_RUNNER_PATH" in os.environ:
            return None
        return f"there is no jf-runner-{self.arch['name']}"

    def line(self, text):
        """The number of the line with this text."""
        (number,) = [number for number, line in enumerate(self.lines, 1) if text in line]
        return number

    def command(self, *options, rounds=0):
        """rounds: how long main works, for profilers."""
        context = struct.pack("<QQ", 7, rounds) + bytes(48)
        target = f"{self.arch['name']}/user"
        return [self.jitframe, "run", "--target", target, *options, "--ctx", context.hex(), self.object_file]

    def emulator(self, command):
        """An environment where `jitframe run` puts this command in front of the runner."""
        return {**self.env, f"JITFRAME_QEMU_{self.arch['name'].upper()}": command}

    def sysroot(self):
        return f"/usr/{self.machine}-linux-gnu"
