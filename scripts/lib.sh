# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the scripts of this folder share. Source it; it defines functions, what archs.sh defines, and this variable:
#   root      the top of the source tree

set -euo pipefail
shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
# shellcheck source=scripts/archs.sh
. "$root/scripts/archs.sh"

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# only_one FOLDER: waits until no other script works in the folder. The folder is made where there is none.
only_one() {
	local lock
	mkdir -p "$1" 2>/dev/null || true
	[[ -w $1 ]] || die "$1 cannot be written: take a copy of jitframe that is yours"
	exec {lock}>"$1/lock"
	flock -n "$lock" && return
	say "waiting for another script, which works in $1" >&2
	flock "$lock"
}

# configure DIR [MESON ARGUMENT...]: sets up build/DIR unless that was done before; `rm -r build` starts over.
configure() {
	local dir=$root/build/$1
	shift
	[[ -f $dir/build.ninja ]] || meson setup -Dwerror=true "$@" "$dir" "$root"
}

# Functions and lines for backtraces, and compiled faster than with all that -g says.
readonly lines=(-Ddebug=false -Dc_args=-g1)

# build DIR [NINJA TARGET...]: the build directories are native, asan, bench and one for each target.
build() {
	local dir=$1
	shift
	say "build/$dir"
	case $dir in
	native) configure native "${lines[@]}" -Dtools=enabled -Dtests=enabled -Ddefault_library=both ;;
	bench) configure bench -Dtools=enabled -Dbench=enabled -Dbuildtype=release ;;
	# Compiled in half the time of -O2.
	asan) configure asan "${lines[@]}" -Dtools=enabled -Dtests=enabled -Db_sanitize=address,undefined -Db_lundef=false \
		-Doptimization=1 ;;
	*) configure "$dir" "${lines[@]}" --cross-file "$(cross_file "$dir")" ;;
	esac
	ninja -C "$root/build/$dir" "$@"
}

# Tells the host's programs where the jf-runner-ARCH of each architecture is, and its emulator.
export_runner_path() {
	local target path=$root/build/native/tools/runner
	for target in "${targets[@]}"; do
		path+=:$root/build/$target/tools/runner
		export "JITFRAME_QEMU_${target^^}=$(emulator "$target")"
	done
	export JITFRAME_RUNNER_PATH=$path
}

# program ARCH PATH: the words of a command that runs a program of that architecture's build, emulated where need be.
program() {
	local words
	words=$(emulator "$1")
	printf '%s\n' "${words:+$words }$root/build/$(build_dir "$1")/$2"
}

# conventions [ARCH]: a line ARCH/NAME for each convention that can run programs, as the built command lists them.
conventions() {
	"$root/build/native/tools/jitframe" archs --json | python3 -c '
import json, sys
for arch in json.load(sys.stdin)["archs"]:
    if arch["name"] in sys.argv[1:] or not sys.argv[1:]:
        for conv in arch["conventions"]:
            if "run" in conv["supports"]:
                print(arch["name"] + "/" + conv["name"])' "$@"
}
