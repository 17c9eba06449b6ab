#!/bin/bash
# As the official image does: settings are environment variables with a dot in their names.
set -euo pipefail
settings=(-Enetwork.host=0.0.0.0)
while IFS= read -r variable; do
    settings+=("-E$variable")
done < <(env | grep -E '^[a-z_]+\.[a-z_.]+=')
export ES_HOME=$PWD ES_PATH_CONF=$PWD/config ES_DISTRIBUTION_TYPE=zip
export JAVA=$PWD/jdk/bin/java JAVA_TYPE=bundled HOSTNAME
exec "$JAVA" -Xms4m -Xmx64m -XX:+UseSerialGC -cp "$PWD/lib/tools/server-launcher/*" \
    org.elasticsearch.server.launcher.ServerLauncher "${settings[@]}"
