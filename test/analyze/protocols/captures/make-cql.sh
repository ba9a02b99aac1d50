#!/bin/sh
# Makes cql.pcap: make-cql.sh DIRECTORY, which has npm's cassandra-driver 4 installed, and PyPI's cassandra-driver 3 in its directory py.
# They talk with a server that follows the specification (cql-server.mjs): Cassandra itself cannot be had here. Needs node, tcpdump and
# root. Everything talks on the loopback of a network namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
netns=ks-make-cql
server= sniffer=
finish() {
  kill $server $sniffer 2> /dev/null || true
  ip netns del $netns
  rm -rf "$work"
}
ip netns add $netns
trap finish EXIT
ip -n $netns link set lo mtu 1500 up
ip netns exec $netns node "$here/cql-server.mjs" 9042 &
server=$!
for _ in $(seq 50); do
  ip netns exec $netns sh -c 'ss -ltn | grep -q :9042' && break
  sleep 0.2
done
ip netns exec $netns tcpdump -i lo -U -w "$work/cql.pcap" tcp port 9042 2> "$work/tcpdump.log" &
sniffer=$!
sleep 1
ip netns exec $netns timeout 20 node "$here/talk-cql.mjs" "$1" || true
ip netns exec $netns env PYTHONPATH="$1/py" timeout 20 python3 "$here/talk-cql5.py" || true
sleep 1
kill $sniffer
wait $sniffer || true
sniffer=
cp "$work/cql.pcap" "$here/cql.pcap"
