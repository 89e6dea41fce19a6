# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# What scripts ask apt's configuration. Source it; it defines functions, and needs nothing but apt.

# One line "SUITE ADDRESS" for each of apt's sources, whether its lists were ever fetched or not.
list_sources() {
	apt-get update --print-uris | sed -nE "s|^'(.*)/dists/([^']*)/InRelease'.*|\2 \1|p"
}

# source_address SUITE: where apt has SUITE from.
# Other vendors' sources bear Debian's code names too, but no "-updates".
source_address() {
	list_sources | awk -v c="$1" '$1 == c "-updates" { best = $2 } $1 == c && !any { any = $2 }
		END { print best ? best : any }'
}

# The signing key of the source at an address, as the deb822 field: a path, or the key itself on lines of its own.
signed_by() {
	local uri=$1 file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources; do
		[[ -f $file ]] || continue
		awk -v uri="$uri" -v deb822="${file##*.}" '
			BEGIN { if (deb822 == "sources") { RS = ""; FS = "\n" } }
			!index($0, uri) { next }
			deb822 == "sources" {
				for (i = 1; i <= NF; i++) {
					if ($i !~ /^[ \t#]/) on = tolower($i) ~ /^signed-by:/
					if (on) print $i
				}
				exit
			}
			/^deb .*signed-by=/ { sub(/.*signed-by=/, ""); sub(/[] ].*/, ""); print "Signed-By: " $0; exit }
		' "$file"
	done | awk '/^Signed-By:/ && NR > 1 { exit } { print }'
}

# source_stanza SUITE ADDRESS COMPONENTS [SIGNED-BY]: one source as a .sources file has it.
source_stanza() {
	printf 'Types: deb\nSuites: %s\nURIs: %s\nComponents: %s\n%s\n' "$1" "$2" "$3" "${4:+$4$'\n'}"
}
