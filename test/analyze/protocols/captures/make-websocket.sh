#!/bin/sh
# Makes websocket.pcap: server and clients of the package ws (packages tcpdump, iproute2; as root).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
net=ks-websocket
ip netns add $net
finish() {
  ip netns pids $net | xargs -r kill 2> /dev/null || true
  sleep 1
  ip netns del $net
}
trap finish EXIT
ip netns exec $net ip link set lo up
ip netns exec $net tcpdump -i lo -s 0 -Z root -U -w "$here/websocket.pcap" tcp 2> /dev/null &
sleep 1
ip netns exec $net node "$here/talk-websocket.mjs"
sleep 1
