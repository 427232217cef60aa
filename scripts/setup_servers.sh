#!/bin/sh
# Installs the servers that tests of connectors talk to, which the tests start themselves: Redis, PostgreSQL and MariaDB; and
# the programs that make network namespaces: ip and nft.
# A server that a package starts as a service is not used by them.
set -eu
cd "$(dirname "$0")/.."

missing=""
command -v redis-server >/dev/null 2>&1 || missing="$missing redis-server"
command -v mariadbd >/dev/null 2>&1 || [ -x /usr/sbin/mariadbd ] || missing="$missing mariadb-server"
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null 2>&1 || missing="$missing postgresql"
command -v ip >/dev/null 2>&1 || [ -x /usr/sbin/ip ] || missing="$missing iproute2"
command -v nft >/dev/null 2>&1 || [ -x /usr/sbin/nft ] || missing="$missing nftables"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -ne 0 ] && [ "${WEIR_TEST_SERVERS:-}" != required ]; then
    echo "setup: tests that need these will be skipped; to run them: sudo apt-get install$missing"
    exit 0
fi
# shellcheck disable=SC2086 -- the list is meant to be split
sh scripts/setup_packages.sh $missing
