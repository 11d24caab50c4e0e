#!/bin/sh
# Write users, permissions and the way of results from the environment, then become the broker.
# Imported at every start, so a changed password in .env holds after a restart.
set -eu

definitions=${DEFINITIONS_FILE:-/tmp/definitions.json}

for name in RABBITMQ_PASSWORD RABBITMQ_GPU_PASSWORD; do
  eval "value=\${$name:-}"
  case $value in
    '' | *[!A-Za-z0-9_-]*)
      echo "$name must be set, of letters, digits, - and _ only. Make one with: openssl rand -hex 32" >&2
      exit 1
      ;;
  esac
done

umask 077
cat > "$definitions" << JSON
{
  "vhosts": [{"name": "duologue"}],
  "users": [
    {"name": "duologue", "password": "$RABBITMQ_PASSWORD", "tags": ""},
    {"name": "gpu", "password": "$RABBITMQ_GPU_PASSWORD", "tags": ""}
  ],
  "permissions": [
    {"user": "duologue", "vhost": "duologue", "configure": ".*", "write": ".*", "read": ".*"},
    {
      "user": "gpu",
      "vhost": "duologue",
      "configure": "^model\\\\.[a-z0-9_-]+\$",
      "write": "^results\$",
      "read": "^model\\\\.[a-z0-9_-]+\$"
    }
  ],
  "exchanges": [
    {"name": "results", "vhost": "duologue", "type": "direct", "durable": true, "auto_delete": false,
     "internal": false, "arguments": {}}
  ],
  "queues": [
    {"name": "results", "vhost": "duologue", "durable": true, "auto_delete": false, "arguments": {}}
  ],
  "bindings": [
    {"source": "results", "vhost": "duologue", "destination": "results", "destination_type": "queue",
     "routing_key": "results", "arguments": {}}
  ]
}
JSON

exec rabbitmq-server
