#!/bin/sh
# Makes mqtt.pcap: make-mqtt.sh DIRECTORY, which has npm's mqtt installed. Needs Debian's mosquitto and mosquitto-clients, node, tcpdump
# and root. Everything talks on the loopback of a network namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
netns=ks-make-mqtt
server= sniffer=
finish() {
  kill $server $sniffer 2> /dev/null || true
  ip netns del $netns
  rm -rf "$work"
}
ip netns add $netns
trap finish EXIT
ip -n $netns link set lo mtu 1500 up
chmod 755 "$work"
: > "$work/passwords"
mosquitto_passwd -b "$work/passwords" shop hunter2-right 2> /dev/null
printf 'user shop\ntopic readwrite #\ntopic deny secret/#\n' > "$work/acl"
chmod 644 "$work/passwords" "$work/acl"
printf 'listener 1883 127.0.0.1\nallow_anonymous false\npassword_file %s/passwords\nacl_file %s/acl\n' "$work" "$work" > "$work/mosquitto.conf"
ip netns exec $netns mosquitto -c "$work/mosquitto.conf" > "$work/out" 2>&1 &
server=$!
for _ in $(seq 50); do
  ip netns exec $netns sh -c 'ss -ltn | grep -q :1883' && break
  sleep 0.2
done
ip netns exec $netns tcpdump -i lo -U -w "$work/mqtt.pcap" tcp port 1883 2> "$work/tcpdump.log" &
sniffer=$!
sleep 1
in_netns() { ip netns exec $netns "$@"; }
login="-h 127.0.0.1 -u shop -P hunter2-right"
in_netns timeout 5 mosquitto_sub $login -i reader -q 2 -t 'sensors/+/temperature' -t 'orders/#' -C 5 &
reader=$!
sleep 0.5
in_netns mosquitto_pub $login -i writer -q 0 -t sensors/17/temperature -m 20.5
in_netns mosquitto_pub $login -i writer -q 1 -t sensors/18/temperature -m 21.5
in_netns mosquitto_pub $login -i writer -q 2 -t orders/new -m "$(head -c 3000 /dev/zero | tr '\0' x)"
in_netns mosquitto_pub -h 127.0.0.1 -u shop -P hunter2-wrong -i liar -q 1 -t a/b/c -m 1 || true
in_netns node "$here/talk-mqtt.mjs" "$1"
wait $reader || true
sleep 1
kill $sniffer
wait $sniffer || true
sniffer=
cp "$work/mqtt.pcap" "$here/mqtt.pcap"
