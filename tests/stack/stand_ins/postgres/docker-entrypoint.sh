#!/bin/bash
# What docker-stack.yml and docker-compose.yml use of the official image's entry point: a first start makes
# the cluster, with the superuser's password, and runs what is in /docker-entrypoint-initdb.d.
set -euo pipefail
if [ "$1" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    mkdir -p "$PGDATA"
    initdb --pgdata "$PGDATA" --username=postgres \
        --pwfile=<(cat "${POSTGRES_PASSWORD_FILE:-/dev/stdin}" <<< "${POSTGRES_PASSWORD:-}") \
        --auth-local=trust --auth-host=scram-sha-256 $POSTGRES_INITDB_ARGS >/dev/null
    echo 'host all all all scram-sha-256' >> "$PGDATA/pg_hba.conf"
    pg_ctl --pgdata "$PGDATA" -o "-c listen_addresses='' -k /var/run/postgresql" --wait --silent start
    for script in $(find /docker-entrypoint-initdb.d -name "*.sh" 2>/dev/null | sort); do
        PGHOST=/var/run/postgresql PGUSER=postgres bash "$script"
    done
    pg_ctl --pgdata "$PGDATA" --mode=fast --wait --silent stop
fi
exec "$@"
