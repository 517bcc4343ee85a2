#!/usr/bin/env bash
# Starts a server with its defaults: for `make run`.
set -euo pipefail
muster=${1:?usage: $0 MUSTER}

data=./muster-data
if [ "$(id -u)" -eq 0 ]; then
    # The server gives up root; its data must lie where the user it becomes can reach them.
    data=/var/lib/muster
    id -u muster >/dev/null 2>&1 ||
        useradd --system --home-dir "$data" --no-create-home --shell /usr/sbin/nologin muster
    install -d -m 0700 -o muster -g muster "$data"
fi
exec "$muster" serve --data "$data"
