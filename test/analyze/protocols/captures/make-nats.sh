#!/bin/sh
# Makes nats.pcap: make-nats.sh DIRECTORY, which has nats-server 2.10 (a Go module) as nats-server and npm's nats installed. Needs
# node, tcpdump and root. Everything talks on the loopback of a network namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
netns=ks-make-nats
server= sniffer=
finish() {
  kill $server $sniffer 2> /dev/null || true
  ip netns del $netns
  rm -rf "$work"
}
ip netns add $netns
trap finish EXIT
ip -n $netns link set lo mtu 1500 up
cat > "$work/nats.conf" <<'CONF'
listen: 127.0.0.1:4222
jetstream { store_dir: "STORE" }
authorization { users: [
  { user: shop, password: hunter2-right }
  { user: guest, password: hunter2-guest, permissions: { publish: "public.>", subscribe: ["public.>", "_INBOX.>"] } }
] }
CONF
sed -i "s#STORE#$work/store#" "$work/nats.conf"
ip netns exec $netns "$1/nats-server" -c "$work/nats.conf" > "$work/out" 2>&1 &
server=$!
for _ in $(seq 50); do
  ip netns exec $netns sh -c 'ss -ltn | grep -q :4222' && break
  sleep 0.2
done
ip netns exec $netns tcpdump -i lo -U -w "$work/nats.pcap" tcp port 4222 2> "$work/tcpdump.log" &
sniffer=$!
sleep 1
ip netns exec $netns node "$here/talk-nats.mjs" "$1"
sleep 1
kill $sniffer
wait $sniffer || true
sniffer=
cp "$work/nats.pcap" "$here/nats.pcap"
