# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What the scripts of this folder share. Source it; it defines functions and these variables:
#   root      the top of the source tree
#   targets   the cross builds, by jitframe's name of the architecture

set -euo pipefail
shopt -s inherit_errexit

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
readonly targets=(loongarch64 arm64)

say() { printf '== %s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# The cross file for one target. A GCC for loongarch64 is there on Debian 13 and Ubuntu 24.04, not on Debian 12.
cross_file() {
	local name=$1
	if [[ $name == loongarch64 ]]; then
		name=loongarch64-clang
		! command -v loongarch64-linux-gnu-gcc-14 >/dev/null || name=loongarch64-gcc
	fi
	printf '%s/cross/%s.ini\n' "$root" "$name"
}

# configure DIR [MESON ARGUMENT...]: sets up build/DIR unless that was done before; `rm -r build` starts over.
configure() {
	local dir=$root/build/$1
	shift
	[[ -f $dir/build.ninja ]] || meson setup -Dwerror=true "$@" "$dir" "$root"
}

# build DIR [NINJA TARGET...]: the build directories are native, asan, bench and one for each target.
build() {
	local dir=$1
	shift
	say "build/$dir"
	case $dir in
	native) configure native -Dtools=enabled ;;
	bench) configure bench -Dtools=enabled -Dbuildtype=release ;;
	# Compiled in half the time of -O2 -g; what sanitizers report has lines all the same.
	asan) configure asan -Dtools=enabled -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 -Ddebug=false \
		-Dc_args=-g1 ;;
	*) configure "$dir" -Dtools=disabled --cross-file "$(cross_file "$dir")" ;;
	esac
	ninja -C "$root/build/$dir" "$@"
}

# Tells the host's programs where the jf-runner-ARCH of each architecture is.
export_runner_path() {
	local target path=
	for target in native "${targets[@]}"; do
		path+=${path:+:}$root/build/$target/tools/runner
	done
	export JITFRAME_RUNNER_PATH=$path
}
