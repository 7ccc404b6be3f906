#!/bin/bash
# KAFKA_LOG_DIRS=… becomes log.dirs=…, as in apache/kafka's image; then format once, and run.
set -eu
settings=/tmp/server.properties
while IFS='=' read -r -d '' name value; do
    case $name in
        KAFKA_HEAP_OPTS) ;;
        KAFKA_*) name=${name#KAFKA_}; name=${name,,}; echo "${name//_/.}=$value" ;;
    esac
done < <(env -0) >$settings
run() { java ${KAFKA_HEAP_OPTS:--Xmx384m} -cp '/opt/kafka/libs/*' "$@"; }
run kafka.tools.StorageTool format --cluster-id "$CLUSTER_ID" --config $settings --ignore-formatted
exec java ${KAFKA_HEAP_OPTS:--Xmx384m} -cp '/opt/kafka/libs/*' kafka.Kafka $settings
