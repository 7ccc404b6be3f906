#!/bin/bash
# Options alone are mongod's, and root becomes mongodb, as in Docker's image.
set -eu
[ "${1:0:1}" = - ] && set -- mongod "$@"
[ "$1" = mongod ] && [ "$(id -u)" = 0 ] && exec setpriv --reuid=mongodb --regid=mongodb --init-groups "$@"
exec "$@"
