#!/bin/sh
# Makes cql.pcap: make-cql.sh DIRECTORY, which has npm's cassandra-driver 4 installed, and PyPI's cassandra-driver 3 in its directory py.
# They talk with a server that follows the specification (cql-server.mjs): Cassandra itself cannot be had here. Needs node, tcpdump and
# root. Everything talks on the loopback of a network namespace of its own.
set -eu
name=cql
. "$(dirname "$0")/on-loopback.sh"
ip netns exec $netns node "$here/cql-server.mjs" 9042 &
capture_server 9042
in_netns timeout 20 node "$here/talk-cql.mjs" "$1" || true
in_netns env PYTHONPATH="$1/py" timeout 20 python3 "$here/talk-cql5.py" || true
keep_capture
