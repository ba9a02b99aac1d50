#!/bin/sh
# Makes tds.pcap: make-tds.sh DIRECTORY, which has npm's tedious 20 installed. It talks with a server that follows the specification
# (tds-server.mjs): SQL Server itself cannot be had here. Needs node, tcpdump and root. Everything talks on the loopback of a network
# namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
netns=ks-make-tds
server= sniffer=
finish() {
  kill $server $sniffer 2> /dev/null || true
  ip netns del $netns
  rm -rf "$work"
}
ip netns add $netns
trap finish EXIT
ip -n $netns link set lo mtu 1500 up
ip netns exec $netns node "$here/tds-server.mjs" 1433 &
server=$!
for _ in $(seq 50); do
  ip netns exec $netns sh -c 'ss -ltn | grep -q :1433' && break
  sleep 0.2
done
ip netns exec $netns tcpdump -i lo -U -w "$work/tds.pcap" tcp port 1433 2> "$work/tcpdump.log" &
sniffer=$!
sleep 1
ip netns exec $netns timeout 20 node "$here/talk-tds.mjs" "$1" || true
sleep 1
kill $sniffer
wait $sniffer || true
sniffer=
cp "$work/tds.pcap" "$here/tds.pcap"
