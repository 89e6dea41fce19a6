# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# Completion of jitframe's command line for bash. All that it offers is what the command says of itself with --help and
# `jitframe archs`, so that it never falls behind the command.

# _jitframe_help JITFRAME COMMAND: each option on one line, however long.
_jitframe_help() {
	ARGP_HELP_FMT=rmargin=4000 "$1" "$2" --help 2>/dev/null
}

# The commands themselves, of `jitframe help`.
_jitframe_commands() {
	"$1" help 2>/dev/null | sed -nE 's/^  ([a-z]+) +.*/\1/p'
}

_jitframe_targets() {
	"$1" archs --brief 2>/dev/null | sed -n 's/: .*//p'
}

# The words of a text that lists words: "main (default), subprogram, boundary or callback", or "which: one, two or three".
# Nothing when the text is anything else.
_jitframe_words() {
	sed -E 's/ *\([^)]*\)//g; s/;.*//; s/^.*: *//; s/ or /,/g; s/, */,/g; / |^[^,]*$/d; s/,/\n/g'
}

# _jitframe_argument JITFRAME COMMAND OPTION: what the option's argument may be; nothing for files and numbers.
_jitframe_argument() {
	local line name text
	line=$(_jitframe_help "$1" "$2" | sed -nE "
		s/^ +(-., )?$3=([^ ]+) +(.*)/\\2\t\\3/p
		/^ +$3, --[a-z-]+=/ s/^ +-., --[a-z-]+=([^ ]+) +(.*)/\\1\t\\2/p")
	[[ -n $line ]] || return
	name=${line%%$'\t'*}
	text=${line#*$'\t'}
	case $name in
	ARCH/CONVENTION) _jitframe_targets "$1" ;;
	FILE | OUT | OBJECT) ;;
	*) _jitframe_words <<<"$text" ;;
	esac
}

# What a command takes first: a word of its own, or a target. Nothing for files.
_jitframe_first() {
	local word
	_jitframe_help "$1" "$2" | sed -nE 's/^(Usage:|  or: ) +jitframe [a-z]+ \[OPTION\.\.\.\] ([^ ]+).*/\2/p' |
		while read -r word; do
			case $word in
			ARCH/CONVENTION) _jitframe_targets "$1" ;;
			[a-z]*) printf '%s\n' "$word" ;;
			esac
		done
}

_jitframe() {
	local jitframe=$1 word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-}
	local at=$COMP_CWORD list='' offered
	# bash takes "--option=value" apart at the "=".
	if [[ $word == = ]]; then
		word=
	elif [[ $before == = ]]; then
		before=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	if [[ $at -eq 1 ]]; then
		offered=$(_jitframe_commands "$jitframe"; printf '%s\n' help --help --version)
	elif [[ $command == help ]]; then
		offered=$(_jitframe_commands "$jitframe")
	elif [[ $before == -* ]] && offered=$(_jitframe_argument "$jitframe" "$command" "$before") && [[ -n $offered ]]; then
		:
	elif [[ $word == -* ]]; then
		offered=$(_jitframe_help "$jitframe" "$command" | sed -nE 's/^ +(-., )?(--[a-z-]+).*/\2/p')
	elif [[ $at -eq 2 ]]; then
		offered=$(_jitframe_first "$jitframe" "$command")
	fi
	# Of a list, its last word. Where nothing is offered, bash offers files.
	[[ $word != *,* ]] || list=${word%,*},
	mapfile -t COMPREPLY < <(compgen -P "$list" -W "$offered" -- "${word##*,}")
}

complete -o default -F _jitframe jitframe
