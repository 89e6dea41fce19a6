# SPDX-License-Identifier: BSD-2-Clause
"""What the pages are of: dumps in the form of `bpftool --json prog dump jited ... opcodes`, made of code as hex."""

import hashlib
import json
import subprocess


class Command:
    """The jitframe command. What it has said once it is not asked again: half of a run is the loading of LLVM."""

    def __init__(self, path, folder):
        self.path = path
        self.folder = folder
        self.said = {}

    def run(self, *arguments):
        if arguments not in self.said:
            done = subprocess.run([self.path, *arguments], capture_output=True, timeout=120, check=False)
            if done.returncode not in (0, 1):
                raise RuntimeError(f"{arguments}: {done.returncode}: {done.stderr.decode()}")
            self.said[arguments] = done.stdout.decode()
        return self.said[arguments]

    def json(self, *arguments):
        return json.loads(self.run(*arguments))

    def page(self, *arguments):
        """The page of `check`, and what --json says beside."""
        path = self.folder / (hashlib.sha256(repr(arguments).encode()).hexdigest()[:16] + ".html")
        return path, self.json("check", *arguments, "--json", "--html", str(path))

    def targets(self):
        """{architecture: [ARCH/CONVENTION...]} of those that have boundaries and a checker."""
        return {arch["name"]: [f"{arch['name']}/{conv['name']}" for conv in arch["conventions"]
                               if "exceptions" in conv["supports"]]
                for arch in self.json("archs", "--json")["archs"] if arch["decoder"]}

    def emitted(self, target, role):
        """What `emit` says of a boundary or a callback."""
        options = ["--stack", "64", "--uses", "r6"] if role == "boundary" else ["--stack", "16"]
        return self.json("emit", target, "--role", role, *options, "--json")

    def pair(self, target, callback_target=None):
        """A dump with a boundary, and with a callback, which may be of another convention."""
        callback_target = callback_target or target
        path = self.folder / f"{target}-{callback_target}.json".replace("/", "-")
        if not path.exists():
            write(path, {"throws": bytes.fromhex(self.emitted(target, "boundary")["code"]),
                         "catches": bytes.fromhex(self.emitted(callback_target, "callback")["code"])})
        return path


def write(path, functions):
    """functions: name -> bytes. One instruction of the dump has them all: the command decodes for itself."""
    insns = lambda code: [{"pc": "0x0", "operation": "", "opcodes": [f"0x{byte:02x}" for byte in code]}]
    path.write_text(json.dumps([{"name": name, "insns": insns(code)} for name, code in functions.items()]))
    return path
