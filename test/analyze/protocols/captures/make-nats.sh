#!/bin/sh
# Makes nats.pcap: make-nats.sh DIRECTORY, which has nats-server 2.10 (a Go module) as nats-server and npm's nats installed. Needs
# node, tcpdump and root. Everything talks on the loopback of a network namespace of its own.
set -eu
name=nats
. "$(dirname "$0")/on-loopback.sh"
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
capture_server 4222
in_netns node "$here/talk-nats.mjs" "$1"
keep_capture
