#!/bin/sh
# venv.sh          makes .venv and brings its packages to what requirements-dev.txt says
# venv.sh project  then puts this project into it, editable
set -eu
here=deploy/local
log=.local/pip.log

fail() { echo "error: $1" >&2; exit 1; }

pip() {
    .venv/bin/python -m pip "$@" --quiet --no-input --disable-pip-version-check --retries 5 >"$log" 2>&1 && return
    tail -n 5 "$log" >&2
    fail "pip could not install (see $log): check the network, or pip's index settings, and repeat."
}

find_python() {
    for name in python3.11 python3; do
        if "$name" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
}

if [ "${1:-}" = project ]; then
    pip install --no-deps --no-build-isolation --editable .
    touch .venv/.project
    exit
fi

[ "$(df -Pk . | awk 'NR == 2 { print $4 }')" -gt 2000000 ] ||
    fail "less than 2 GB are free under $(pwd), the installation needs that: make room, or check out onto another disk."

if [ ! -x .venv/bin/pip ]; then
    python=$(find_python)
    if [ -z "$python" ]; then
        sh $here/need.sh --force "python3 python3-venv"
        python=$(find_python)
    fi
    [ -n "$python" ] || fail "Python 3.11 is needed, this is $(python3 --version): install it, by pyenv for example, and repeat."
    "$python" -c 'import ensurepip' 2>/dev/null || sh $here/need.sh --force python3-venv
    echo "Python packages: making .venv"
    "$python" -m venv --clear .venv
fi
echo "Python packages: installing"
pip install --require-hashes --requirement requirements-dev.txt
touch .venv/.packages
