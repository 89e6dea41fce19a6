# SPDX-License-Identifier: BSD-2-Clause
"""Which programs of a tree's BPF selftests there are, and what they are to give: selftests.conf, objects and the tree."""

import dataclasses
import fnmatch
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent.parent / "scripts"))
import selftest_tags  # noqa: E402

TESTS = "tools/testing/selftests/bpf"


@dataclasses.dataclass
class Program:
    path: pathlib.Path  # of the object
    source: str
    name: str
    expected: int | None  # nothing: no result is stated
    options: list[str]  # of `jitframe check` and `jitframe run`
    run_options: list[str]  # of `jitframe run` alone

    @property
    def title(self):
        return f"{self.source}:{self.name}"


class Conf:
    """selftests.conf, which says what its lines are."""

    def __init__(self, text):
        self.sources, self.options, self.results, self.runs, self.packets = [], [], [], [], {}
        for line in text.splitlines():
            key, *words = line.split() or [""]
            if not key or key.startswith("#"):
                continue
            if key == "sources":
                self.sources += words
            elif key == "options":
                self.options.append((words[0], words[1:]))
            elif key == "packet":
                self.packets[words[0]] = ["--packet", words[1]]
            elif key == "results":
                self.results.append(line.split(maxsplit=3)[1:])
            elif key == "run":
                self.runs.append((words[0], words[1], words[2], words[3:]))
            else:
                sys.exit(f"kernel-jit: selftests.conf: there is no line {key}")

    def options_of(self, source):
        return [word for pattern, words in self.options if fnmatch.fnmatch(source, pattern) for word in words]

    def runs_of(self, source, name, stated):
        """The result and the options of each run; one, with what is stated elsewhere, where the file has none."""
        found = [
            (stated if result == "-" else int(result, 0), words)
            for one, program, result, words in self.runs
            if (one, program) == (source, name)
        ]
        return found or [(stated, [])]


def results(conf, tree):
    """(source, program) -> what files of the tree, a build.Tree, state beside the programs."""
    found = {}
    for source, name, pattern in conf.results:
        for program, number in re.findall(pattern, tree.text(f"{TESTS}/{name}") or ""):
            found.setdefault((source, program), int(number, 0))
    return found


def of_object(conf, stated, path):
    """The programs of an object that a verifier takes, once for each run."""
    source = path.name.partition(".")[0]
    tags = selftest_tags.read(path)
    for name, section in selftest_tags.programs(path):
        of_this = tags.get(name, [])
        if selftest_tags.is_refused(of_this):
            continue
        packet = conf.packets.get(source, selftest_tags.packet_options(section, of_this)) + selftest_tags.preset(path)
        result = stated.get((source, name), selftest_tags.stated(of_this))
        for expected, words in conf.runs_of(source, name, result):
            yield Program(path, source, name, expected, conf.options_of(source), packet + words)
