#!/bin/sh
# Makes tds.pcap: make-tds.sh DIRECTORY, which has npm's tedious 20 installed. It talks with a server that follows the specification
# (tds-server.mjs): SQL Server itself cannot be had here. Needs node, tcpdump and root. Everything talks on the loopback of a network
# namespace of its own.
set -eu
name=tds
. "$(dirname "$0")/on-loopback.sh"
ip netns exec $netns node "$here/tds-server.mjs" 1433 &
capture_server 1433
in_netns timeout 20 node "$here/talk-tds.mjs" "$1" || true
keep_capture
