#!/bin/sh
# The front end's files: npm fetches the packages of package-lock.json, deploy/assets.mjs takes out what we serve.
set -eu
log=.local/npm.log

sh deploy/local/need.sh npm "nodejs npm"
echo "front-end assets: installing"
if ! npm ci --no-audit --no-fund --loglevel=error --fetch-retries=5 >"$log" 2>&1; then
    tail -n 5 "$log" >&2
    echo "error: npm could not install (see $log): check the network, or npm's registry setting, and repeat." >&2
    exit 1
fi
[ ! -f deploy/assets.mjs ] || node deploy/assets.mjs >>"$log" 2>&1 || { tail -n 5 "$log" >&2; exit 1; }
touch node_modules/.assets
