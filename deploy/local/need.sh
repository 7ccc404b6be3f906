#!/bin/sh
# need.sh COMMAND "PACKAGES": installs Debian packages unless COMMAND is there (--force: in any case).
# As root by apt-get; for anybody else it ends with the sentence that says what to type.
command=$1 packages=$2

[ "$command" != --force ] && command -v "$command" >/dev/null 2>&1 && exit 0

say() { echo "$1 is missing: run \`sudo apt-get install $packages\` and repeat." >&2; exit 1; }

[ "$command" = --force ] && command="One of $packages"
[ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 || say "$command"

echo "installing $packages" >&2
# apt waits for dpkg's lock but not for that of its lists: checkouts that install at once take turns.
export DEBIAN_FRONTEND=noninteractive
# shellcheck disable=SC2086
flock /tmp/miglobe-apt.lock sh -c '
    apt-get -qq -o Acquire::Retries=3 update &&
    apt-get -qq -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 install --no-install-recommends -y "$@"
' sh $packages >/dev/null || say "$command"
