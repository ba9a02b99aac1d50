#!/bin/bash
# Makes quic-greased.pcap: ngtcp2's client and server (Debian: ngtcp2-client, ngtcp2-server), which agree to clear the fixed bit
# of some packets (RFC 9287), on a loopback of their own. As root, with tcpdump and openssl. Which packets those are is chance.
set -eu
out=$(realpath "$(dirname "$0")")/quic-greased.pcap
space=ks-quic-greased
work=$(mktemp -d)
finish() {
  kill ${server:-} ${dumper:-} 2>/dev/null || true
  wait 2>/dev/null || true
  ip netns delete "$space" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
ip netns add "$space"
ip -n "$space" link set lo up
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key" -out "$work/certificate" -days 30 -subj /CN=a.test 2>/dev/null
echo hello > "$work/a.txt"
ip netns exec "$space" tcpdump -Z root -U -i lo -w "$out" udp 2>/dev/null &
dumper=$!
ip netns exec "$space" gtlsserver -q -d "$work" 127.0.0.1 4455 "$work/key" "$work/certificate" > /dev/null 2>&1 &
server=$!
sleep 1
for _ in 1 2; do
  ip netns exec "$space" timeout 5 gtlsclient -q --exit-on-all-streams-close 127.0.0.1 4455 https://localhost/a.txt > /dev/null 2>&1 || true
done
sleep 1
