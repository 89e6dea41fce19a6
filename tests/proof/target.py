# SPDX-License-Identifier: BSD-2-Clause
"""The programs of one convention: compiled by jf-prove-code, and executed by QEMU in jf-prove-guest-ARCH."""

import dataclasses
import functools
import importlib.util
import json
import pathlib
import struct
import subprocess
import tempfile

import tcg

ROOT = pathlib.Path(__file__).resolve().parents[2]
CODE = 0x20000000  # where programs lie
CODE_MAX = 0x6000000
MEMORY = 0x40000000  # what loads and stores of shots are pointed at
MEMORY_BYTES = 0x30000
SIGTRAP = 5
WORDS = struct.Struct("<Q")


class Failed(Exception):
    """A program of ours or QEMU did not do what it is there for."""


def scatter(address):
    """What guest.c has in the word of memory at that address."""
    return (address * 0x9E3779B97F4A7C15 & (1 << 64) - 1) ^ address >> 7


def platform(arch):
    lines = (ROOT / "backends" / arch / "platform.conf").read_text().splitlines()
    pairs = (line.split("#")[0].split("=", 1) for line in lines if "=" in line.split("#")[0])
    return {key.strip(): value.strip() for key, value in pairs}


def facts(arch):
    """The module tests/arch/ARCH/proof.py, or None."""
    path = ROOT / "tests" / "arch" / arch / "proof.py"
    if not path.is_file():
        return None
    spec = importlib.util.spec_from_file_location(f"proof_{arch}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@functools.cache
def version_of(qemu):
    run = subprocess.run([qemu, "--version"], capture_output=True, text=True, check=True)
    return run.stdout.splitlines()[0]


@dataclasses.dataclass
class Shot:
    signal: int
    pc: int
    regs: dict
    memory: dict  # words that have changed, by address


class Target:
    """build: the folder of all builds. name: ARCH/CONVENTION."""

    def __init__(self, build, name):
        self.name = name
        self.arch = name.split("/")[0]
        self.facts = facts(self.arch)
        self.platform = platform(self.arch)
        self.build = pathlib.Path(build)
        self.compiler = subprocess.Popen(
            [self.build / "native/tests/proof/jf-prove-code", name],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1 << 20,
        )  # fmt: skip
        line = self.compiler.stdout.readline()
        if not line:
            raise Failed(f"{name}: jf-prove-code says nothing")
        self.conv = json.loads(line)
        self.regs = {reg["name"]: reg for reg in self.conv["regs"]}
        self.trap = bytes.fromhex(self.conv["trap"])
        self.insn_align = self.conv["insn_align"]

    def close(self):
        self.compiler.stdin.close()
        self.compiler.wait()

    def compile(self, request):
        self.compiler.stdin.write(json.dumps(request) + "\n")
        self.compiler.stdin.flush()
        return json.loads(self.compiler.stdout.readline())

    def qemu_name(self, reg):
        return self.facts.register(reg, self.regs[reg]["hw"])

    # ---- QEMU

    def qemu(self):
        return f"qemu-{self.platform['machine']}"

    def version(self):
        return version_of(self.qemu())

    def guest(self):
        for folder in (self.arch, "native"):
            path = self.build / folder / "tests/proof" / f"jf-prove-guest-{self.arch}"
            if path.is_file():
                return path
        raise Failed(f"there is no jf-prove-guest-{self.arch} below {self.build}")

    def _command(self, log):
        sysroot = pathlib.Path("/usr") / self.platform["triple"]
        command = [self.qemu(), "-cpu", self.facts.CPU]
        if sysroot.is_dir():
            command += ["-L", str(sysroot)]
        if log:
            command += ["-d", "in_asm,op", "-D", log, "-dfilter", f"{CODE:#x}..{CODE + CODE_MAX - 1:#x}"]
        return [*command, str(self.guest())]

    def _records(self, pieces, shots):
        end = max(address + len(code) for address, code in pieces)
        size = (end - CODE + 0x11000) & ~0xFFFF
        yield struct.pack("<3Q", 1, CODE, size)
        for address, code in pieces:
            yield struct.pack("<3Q", 2, address, len(code)) + code + bytes(-len(code) % 8)
        yield struct.pack("<3Q", 3, MEMORY, MEMORY_BYTES)
        names = [reg["name"] for reg in self.conv["regs"]]
        layout = struct.Struct(f"<{3 + len(names)}Q")
        for entry, watch, regs in shots:
            yield layout.pack(4, entry, watch, *(regs.get(name, 0) for name in names))

    def fire(self, pieces, shots, log=None):
        """pieces: [(address, code)]; shots: [(entry, whether to look at memory, {register: value})]. Yields Shots."""
        names = [reg["name"] for reg in self.conv["regs"]]
        with tempfile.TemporaryFile() as records, tempfile.TemporaryFile() as answers:
            for record in self._records(pieces, shots):
                records.write(record)
            records.seek(0)
            run = subprocess.run(self._command(log), stdin=records, stdout=answers, stderr=subprocess.PIPE, check=False)
            if run.returncode:
                raise Failed(f"{self.name}: {run.stderr.decode(errors='replace')[-400:]} (status {run.returncode})")
            answers.seek(0)
            head = struct.Struct(f"<{2 + len(names) + 1}Q")
            for _ in shots:
                words = head.unpack(answers.read(head.size))
                changed = struct.unpack(f"<{2 * words[-1]}Q", answers.read(16 * words[-1]))
                memory = dict(zip(changed[::2], changed[1::2]))
                yield Shot(words[0], words[1], dict(zip(names, words[2:-1])), memory)

    def translate(self, pieces, entries):
        """What QEMU makes of the code from each of the entries on: {address: Block}."""
        with tempfile.NamedTemporaryFile("r", suffix=".log") as log:
            for _ in self.fire(pieces, [(entry, 0, {}) for entry in entries], log.name):
                pass
            return tcg.blocks(log)
