#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# What the completion offers, a line each: complete.sh SCRIPT JITFRAME WORD...
# The last WORD is the one that is being completed; "=" is a word, as in bash.

# shellcheck source=packaging/jitframe.bash
. "$1"
COMP_WORDS=(jitframe "${@:3}")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
_jitframe "$2"
printf '%s\n' "${COMPREPLY[@]}"
