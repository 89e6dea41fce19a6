#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# scripts/new-arch in a copy of the tree: the new backend builds as it comes, and what is missing of it is said. TAP.
#
#   new_arch.sh ROOT SIBLING    CC in the environment is the compiler

set -euo pipefail

readonly root=$1 sibling=$2 name=foo64
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
tar -C "$root" --exclude=./build --exclude=./.git -cf - . | tar -C "$copy" -xf -
cd "$copy"

count=0
failed=0
# says WHAT TEXT COMMAND...: whether the command prints the text, ending well or not.
says() {
	local what=$1 text=$2 out
	shift 2
	out=$("$@" 2>&1) || true
	count=$((count + 1))
	if [[ $out == *"$text"* ]]; then
		echo "ok $count - $what"
	else
		printf 'not ok %d - %s\n# no "%s" in:\n%s\n' "$count" "$what" "$text" "${out//$'\n'/$'\n'# }"
		failed=1
	fi
}

# shellcheck disable=SC2317 # says calls it
build() {
	meson setup -Dtools=enabled -Dbuildtype=plain build/native . && ninja -C build/native tools/jitframe \
		tests/unit/unit_backends tests/golden/golden tests/isa/isa_table && echo "it builds"
}

says "a name that is none" "a name has small letters" scripts/new-arch Foo-64 --like "$sibling"
says "a sibling that is none" "there is no backend nobody" scripts/new-arch "$name" --like nobody
says "what to do next" "backends/$name/frame.c" scripts/new-arch "$name" --like "$sibling"
says "a second time" "backends/$name is there" scripts/new-arch "$name" --like "$sibling"
says "the build" "it builds" build
says "the list" "$name/user" build/native/tools/jitframe archs
says "the sibling's numbers" "$name has the ELF machine of $sibling" \
	build/native/tests/unit/unit_backends --filter 'backend_tables/each_is_an_architecture_of_its_own'
says "no test of encoders" "$name: tests/arch/$name/insn.c # SKIP it is not there: no encoder is held to LLVM MC" \
	python3 tests/arch/gaps.py . build/native/tools/jitframe
says "no captures" "backends/$name/platform.conf names none" \
	python3 tests/arch/gaps.py . build/native/tools/jitframe
says "no golden files" "there is no $name/user.txt: see golden.c" \
	env JF_GOLDEN_DIR=tests/golden build/native/tests/golden/golden
says "a page without it" "scripts/gen-isa-docs writes it anew" build/native/tests/isa/isa_table docs/isa.md
says "no word of LLVM's" "LLVM cannot disassemble for $name-linux-gnu" \
	build/native/tools/jitframe emit "$name/user" --role main
echo "1..$count"
exit "$failed"
