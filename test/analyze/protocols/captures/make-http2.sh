#!/bin/sh
# Makes http2.pcap: Node's HTTP/2 and @grpc/grpc-js talking to themselves (packages tcpdump, iproute2; npm; as root).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
net=ks-http2
work=$(mktemp -d)
ip netns add $net
finish() {
  ip netns pids $net | xargs -r kill 2> /dev/null || true
  sleep 1
  ip netns del $net
  rm -rf "$work"
}
trap finish EXIT
(cd "$work" && npm install --silent --no-audit --no-fund @grpc/grpc-js@1 > /dev/null)
ip netns exec $net ip link set lo up
ip netns exec $net tcpdump -i lo -s 0 -Z root -U -w "$here/http2.pcap" tcp 2> /dev/null &
sleep 1
ip netns exec $net node "$here/talk-http2.mjs" "$work"
sleep 1
