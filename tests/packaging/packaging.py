#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What others do with an installation: packaging.py SOURCE BUILD PREFIX LIBDIR CC ARCH [OBJECT]

Installs BUILD into a folder of its own, and builds the program in user/ in each way that docs/library.md names: by
pkg-config, statically, by CMake, and with SOURCE as a Meson subproject. Then looks at the rest of what is installed; the
command, where there is one, runs the BPF program in OBJECT. Prints TAP.
"""

import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import printed
from tap import Skip, run_tests

HERE = pathlib.Path(__file__).resolve().parent
USER = HERE / "user"
PRINTS = "a frame\n"


class Installed:
    def __init__(self, build, prefix, libdir, cc, folder):
        self.cc, self.folder, self.dest = cc.split(), folder, folder / "dest"
        need("meson")
        run(["meson", "install", "-C", build, "--no-rebuild", "--quiet", "--destdir", self.dest])
        self.prefix = self.dest / prefix.lstrip("/")
        self.libdir = self.prefix / libdir
        self.env = {**os.environ, "PKG_CONFIG_SYSROOT_DIR": str(self.dest),
                    "PKG_CONFIG_LIBDIR": str(self.libdir / "pkgconfig"), "LD_LIBRARY_PATH": str(self.libdir)}

    def need_archive(self):
        if not (self.libdir / "libjitframe.a").is_file():
            raise Skip("this build has no archive: -Ddefault_library=both makes one")

    def flags(self, *options):
        need("pkg-config")
        return run(["pkg-config", *options, "--cflags", "--libs", "jitframe"], env=self.env).split()

    def build_and_run(self, name, *arguments):
        program = self.folder / name
        run([*self.cc, USER / "user.c", *arguments, "-o", program])
        prints(program, self.env)


def need(command):
    if not shutil.which(command):
        raise Skip(f"there is no {command}")


def run(command, **how):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **how)
    if done.returncode:
        raise AssertionError(f"{command[0]}: exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def prints(program, env):
    text = run([program], env=env)
    assert text.endswith(PRINTS), text


# ---- the ways ----------------------------------------------------------------------------------------------------

def pkg_config(installed):
    installed.build_and_run("shared", *installed.flags())


def pkg_config_static(installed):
    installed.need_archive()
    flags = installed.flags("--static")
    assert "-pthread" in flags, flags
    installed.build_and_run("static", "-static", *flags)


def archive_hides_what_the_library_hides(installed):
    installed.need_archive()
    need("nm")
    listed = run(["nm", "-g", "--defined-only", installed.libdir / "libjitframe.a"])
    exported = run(["nm", "-D", "--defined-only", installed.libdir / "libjitframe.so"])
    archive = set(re.findall(r" [A-Z] (\S+)$", listed, re.M))
    library = set(re.findall(r" [TDBRVW] ([^\s@]+)\S*$", exported, re.M))
    assert library and archive == library, archive ^ library


def cmake(installed):
    need("cmake")
    built = installed.folder / "cmake"
    # Without dpkg-dev Meson installs into lib64 on Debian, where CMake does not look.
    where = [f"-Djitframe_DIR={installed.libdir}/cmake/jitframe"] if installed.libdir.name == "lib64" else []
    run(["cmake", "-G", "Ninja", "-S", USER, "-B", built, f"-DCMAKE_PREFIX_PATH={installed.prefix}", *where,
         f"-DCMAKE_C_COMPILER={shutil.which(installed.cc[-1])}"])
    run(["cmake", "--build", built])
    prints(built / "user", installed.env)
    if (installed.libdir / "libjitframe.a").is_file():
        prints(built / "user_static", installed.env)


def cmake_versions(installed):
    """Which version a program asks for, and whether this one will do: 0.x goes with the same x alone."""
    need("cmake")
    script = installed.libdir / "cmake/jitframe/jitframeConfigVersion.cmake"
    version = re.search(r'PACKAGE_VERSION "(\d+)\.(\d+)\.(\d+)"', script.read_text())
    major, minor, patch = (int(part) for part in version.groups())
    for wanted, good in ((f"{major}.{minor}", True), (f"{major}.{minor}.{patch}", True), (f"{major}.{minor}.99", False),
                         (f"{major}.{minor + 1}", False), (f"{major + 1}.0", False)):
        text = run(["cmake", f"-DPACKAGE_FIND_VERSION={wanted}", "-P", HERE / "version.cmake", script])
        assert ("compatible: TRUE" in text) == good, f"{wanted}: {text}"


def subproject(source, folder, arch):
    """ARCH alone is enough to see that the library builds there; options of the other project change nothing."""
    project, built = folder / "subproject", folder / "subproject" / "build"
    shutil.copytree(USER, project)
    (project / "subprojects/jitframe").symlink_to(source)
    run(["meson", "setup", built, project, "--force-fallback-for=jitframe", "-Dbuildtype=plain",
         "-Dauto_features=enabled", f"-Djitframe:backends={arch}"])
    targets = {t["name"]: t for t in json.loads(run(["meson", "introspect", built, "--targets"]))}
    assert set(targets) <= {"user", "jitframe", "jitframe_core", "offsets", "offsets.h"}, sorted(targets)
    assert json.loads(run(["meson", "introspect", built, "--tests"])) == []
    run(["ninja", "-C", built])
    prints(built / "user", os.environ)


def subproject_static(folder):
    """Whose default_library is the other project's to choose."""
    built = folder / "subproject" / "build"
    run(["meson", "configure", built, "-Ddefault_library=static", "-Djitframe:default_library=static"])
    run(["ninja", "-C", built])
    assert "libjitframe.so" not in run(["readelf", "-d", built / "user"])
    prints(built / "user", os.environ)


# ---- what else is installed --------------------------------------------------------------------------------------

def examples(installed):
    """Each is built by the line in its head, where it lies, and prints what it has to."""
    folder = installed.prefix / "share/doc/jitframe/examples"
    if not folder.is_dir():
        raise Skip("-Dexamples=disabled")
    need("pkg-config")
    for source in sorted(folder.glob("*.c")):
        line = re.search(r"^ \*\s+((?:cc|c\+\+) .*)$", source.read_text(encoding="utf-8"), re.M)
        assert line or source.name.endswith(".bpf.c"), f"{source.name} does not say how it is built"
        if line:
            run(["sh", "-c", line[1]], cwd=folder, env=installed.env)
            printed.check(source.stem, run([folder / source.stem], env=installed.env))
    printed.check("plugin", run([sys.executable, folder / "plugin.py"], env=installed.env))


def example_in_gdb(installed):
    """foreign.c, which the test before has built, by the line in its head: the frames that gdb shows."""
    program = installed.prefix / "share/doc/jitframe/examples/foreign"
    if not program.is_file():
        raise Skip("foreign.c was not built")
    gdb = shutil.which("gdb") or shutil.which("gdb-multiarch")
    if not gdb:
        raise Skip("there is no gdb")
    shown = run([gdb, "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "break small", "-ex", "run", "-ex",
                 "backtrace", program], env=installed.env)
    frames = re.findall(r"^#\d+ +(?:0x[0-9a-f]+ in )?(\w+) \(", shown, re.M)
    assert frames[:4] == ["small", "inner", "outer", "run"] and frames[-1] == "main", f"{frames}\n{shown}"


def pages(installed):
    """And what they point to among themselves."""
    folder = installed.prefix / "share/doc/jitframe"
    if not folder.is_dir():
        raise Skip("-Ddocs=disabled")
    for name in ("LICENSE", "README.md", "CHANGELOG.md", "docs/library.md"):
        assert (folder / name).is_file(), name
    for page in folder.glob("**/*.md"):
        for link in re.findall(r"\]\(([^)#:]+)[^):]*\)", page.read_text(encoding="utf-8")):
            target = pathlib.Path(os.path.normpath(page.parent / link))
            if target.suffix and target.parent.name in ("docs", "examples"):
                assert target.exists(), f"{page.relative_to(folder)} points to {link}"


def command_of(installed):
    command = installed.prefix / "bin/jitframe"
    if not command.is_file():
        raise Skip("this build has no jitframe command")
    return command


def command(installed, bpf_object):
    """Finds its disassembler and its runner; the manual and the completion are where they are looked for."""
    program = command_of(installed)
    env = {name: value for name, value in os.environ.items() if not name.startswith("JITFRAME")}
    archs = json.loads(run([program, "archs", "--json"], env=env))["archs"]
    assert "prologue" in run([program, "emit", archs[0]["name"] + "/user", "--part", "prologue"], env=env)
    assert (installed.prefix / "share/man/man1/jitframe.1").is_file()
    assert (installed.prefix / "share/bash-completion/completions/jitframe").is_file()
    if bpf_object and any(arch["host"] for arch in archs):
        assert "R0 = " in run([program, "run", bpf_object], env=env)


def runners(installed, bpf_object):
    """Where they are looked for is said, in that order; then what emulates them."""
    program = command_of(installed)
    if not bpf_object:
        raise Skip("there is no clang for BPF programs")
    other = next(a["name"] for a in json.loads(run([program, "archs", "--json"]))["archs"] if not a["host"])
    libexec = next(installed.prefix.glob("**/jitframe-disasm.so")).parent

    def message(**env):
        done = subprocess.run([program, "run", bpf_object, "--target", other + "/user"], capture_output=True, text=True,
                              check=False, env=env)
        assert done.returncode == 1, done
        return done.stderr

    told = message(JITFRAME_RUNNER_PATH="/nowhere:/none")
    places = [os.path.normpath(line.strip()) for line in told.strip().split("\n")[1:]]
    assert f"there is no jf-runner-{other}" in told, told
    assert [place for place in places if not place.endswith("/runner")] == [
        "/nowhere", "/none", str(libexec), str(program.parent)], told
    fake = libexec / f"jf-runner-{other}"
    fake.write_text("no program\n", encoding="ascii")
    fake.chmod(0o755)
    told = message(PATH="/nowhere")
    assert "there is no emulator qemu-" in told and f"JITFRAME_QEMU_{other.upper()}" in told, told


# ---- all of them -------------------------------------------------------------------------------------------------

def main():
    source, build, prefix, libdir, cc, arch, *bpf_object = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="jitframe-packaging-") as name:
        folder = pathlib.Path(name)
        try:
            installed = Installed(build, prefix, libdir, cc, folder)
        except Skip as missing:
            print(f"1..0 # SKIP {missing}")
            return False
        return run_tests(
            *((test, installed) for test in (
                pkg_config, pkg_config_static, archive_hides_what_the_library_hides, cmake, cmake_versions)),
            (subproject, source, folder, arch), (subproject_static, folder), (examples, installed),
            (example_in_gdb, installed), (pages, installed),
            *((test, installed, "".join(bpf_object)) for test in (command, runners)))


sys.exit(main())
