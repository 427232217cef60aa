#!/bin/sh
# Installs the servers that tests of connectors talk to: Redis, PostgreSQL and MariaDB. The tests start them themselves.
# A server that a package starts as a service is not used by them.
set -eu
cd "$(dirname "$0")/.."

missing=""
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || missing="$missing mariadb-server"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] && [ "${WEIR_TEST_SERVERS:-}" != required ]; then
    echo "setup: tests against these servers will be skipped; to run them: sudo apt-get install$missing"
    exit 0
fi
# shellcheck disable=SC2086 -- the list is meant to be split
sh scripts/setup_packages.sh $missing
