# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash disable=SC2154 # root
#
# Which architectures there are, and what toolchains call each: backends/ARCH/platform.conf. Source it, with `root` set;
# it needs nothing that has been built. It defines functions and these variables:
#   archs     every architecture, by jitframe's name
#   host      the one of this machine, empty when no backend is for it
#   targets   all others: the cross builds

# platform ARCH KEY: the value of that line, empty when there is none.
platform() {
	sed -nE "s/^$2 *= *//; T; s/ *#.*//; p" "$root/backends/$1/platform.conf"
}

archs=()
targets=()
host=
for conf in "$root"/backends/*/platform.conf; do
	conf=${conf%/*}
	archs+=("${conf##*/}")
	if [[ $(platform "${conf##*/}" machine) == "$(uname -m)" ]]; then
		host=${conf##*/}
	else
		targets+=("${conf##*/}")
	fi
done
unset conf
# shellcheck disable=SC2034 # for those who source this
readonly archs targets host

# gcc_of ARCH: the command of the distribution's cross compiler.
gcc_of() {
	printf '%s-%s\n' "$(platform "$1" triple)" "$(platform "$1" gcc)"
}

# emulator ARCH: the command in front of a program of ARCH; nothing on that machine.
emulator() {
	local cpu
	[[ $1 != "$host" ]] || return 0
	cpu=$(platform "$1" emulator_cpu)
	printf 'qemu-%s %s-L /usr/%s' "$(platform "$1" machine)" "${cpu:+-cpu $cpu }" "$(platform "$1" triple)"
}

# build_dir ARCH: the build directory that has the programs of ARCH.
build_dir() {
	[[ $1 == "$host" ]] && printf 'native' || printf '%s' "$1"
}

# The [binaries] of a cross file but for the emulator: cross_binaries ARCH gcc|clang
cross_binaries() {
	local triple
	triple=$(platform "$1" triple)
	if [[ $2 == gcc ]]; then
		printf "c = '%s'\nar = '%s'\nstrip = '%s'\n" "$(gcc_of "$1")" "$triple-ar" "$triple-strip"
		return
	fi
	printf "c = ['clang-19', '--target=%s']\nar = 'llvm-ar-19'\nstrip = 'llvm-strip-19'\n" "$triple"
	# Where the distribution has no linker. Dynamic executables only: what lld 19 links statically against Debian's
	# library for loong64 crashes at its start.
	command -v "$triple-ld" >/dev/null || printf "c_ld = 'lld-19'\n"
}

# cross_file ARCH [gcc|clang]: writes a cross file of Meson's below build/cross and prints its path. Unless a compiler is
# named, it is the distribution's GCC where that is there, else clang with the distribution's C library.
cross_file() {
	local compiler=${2-} file
	if [[ -z $compiler ]]; then
		compiler=clang
		! command -v "$(gcc_of "$1")" >/dev/null || compiler=gcc
	fi
	file=$root/build/cross/$1-$compiler.ini
	mkdir -p "${file%/*}"
	cat >"$file.new" <<-END
		# Made by scripts/archs.sh of backends/$1/platform.conf.

		[binaries]
		$(cross_binaries "$1" "$compiler")
		exe_wrapper = [$(emulator "$1" | sed "s/[^ ]*/'&'/g; s/ /, /g")]

		[properties]
		needs_exe_wrapper = true

		[host_machine]
		system = 'linux'
		cpu_family = '$(platform "$1" cpu_family)'
		cpu = '$(platform "$1" cpu_family)'
		endian = '$(platform "$1" endian)'
	END
	# Meson sets a build directory up again when its cross file is newer.
	cmp -s "$file.new" "$file" || cp "$file.new" "$file"
	rm "$file.new"
	printf '%s\n' "$file"
}
