#!/bin/bash
# At PostgreSQL's first start: a role and a database of its own for each of the two addresses, so that
# whoever has only the event log's reaches no read model.
set -euo pipefail

for secret in event_log_url database_url; do
    if [[ ! $(</run/secrets/$secret) =~ ^postgres(ql)?://([^:/]+):([^@/]+)@[^/]+/([^?]+) ]]; then
        echo "the secret $secret is not postgresql://user:password@host/database" >&2
        exit 1
    fi
    psql --quiet --no-psqlrc --set ON_ERROR_STOP=1 --set role="${BASH_REMATCH[2]}" \
        --set password="${BASH_REMATCH[3]}" --set database="${BASH_REMATCH[4]}" <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
CREATE DATABASE :"database" OWNER :"role";
REVOKE CONNECT ON DATABASE :"database" FROM PUBLIC;
SQL
done
