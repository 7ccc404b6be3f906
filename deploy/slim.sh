#!/bin/sh
# slim.sh SITE-PACKAGES: takes out of the image's Python packages what a running service never opens - 140 MB of symbols,
# tests, other countries' languages, area codes, weights of a typeface. What it names and no longer finds is an error, so that
# a new release of a package can't pass it by unseen.
set -eu
cd "$1"

gone() { # gone DIRECTORY FIND-EXPRESSION…
    directory=$1
    shift
    [ -n "$(find "$directory" "$@" -print -quit)" ] || { echo "slim.sh: nothing to take out of $directory" >&2; exit 1; }
    find "$directory" "$@" -prune -exec rm -rf {} +
}

gone . -type d -name tests
gone . -name '*.pyi'
gone . -name '*.a'
gone babel/locale-data -name '*.dat' ! -name 'root.dat' ! -name 'de*.dat' ! -name 'en*.dat'
gone phonenumbers -type d \( -name geodata -o -name carrierdata -o -name tzdata \)
gone fontpkg_fira_sans/files \( -name '*Black*' -o -name '*Extra*' -o -name '*Light*' -o -name '*Thin*' \)
strip --strip-unneeded typst/*.so uvloop/*.so cryptography/hazmat/bindings/*.so
