#!/bin/sh
# Makes mqtt.pcap: make-mqtt.sh DIRECTORY, which has npm's mqtt installed. Needs Debian's mosquitto and mosquitto-clients, node, tcpdump
# and root. Everything talks on the loopback of a network namespace of its own.
set -eu
name=mqtt
. "$(dirname "$0")/on-loopback.sh"
chmod 755 "$work"
: > "$work/passwords"
mosquitto_passwd -b "$work/passwords" shop hunter2-right 2> /dev/null
printf 'user shop\ntopic readwrite #\ntopic deny secret/#\n' > "$work/acl"
chmod 644 "$work/passwords" "$work/acl"
printf 'listener 1883 127.0.0.1\nallow_anonymous false\npassword_file %s/passwords\nacl_file %s/acl\n' "$work" "$work" > "$work/mosquitto.conf"
ip netns exec $netns mosquitto -c "$work/mosquitto.conf" > "$work/out" 2>&1 &
capture_server 1883
login="-h 127.0.0.1 -u shop -P hunter2-right"
ip netns exec $netns timeout 5 mosquitto_sub $login -i reader -q 2 -t 'sensors/+/temperature' -t 'orders/#' -C 5 &
reader=$!
sleep 0.5
in_netns mosquitto_pub $login -i writer -q 0 -t sensors/17/temperature -m 20.5
in_netns mosquitto_pub $login -i writer -q 1 -t sensors/18/temperature -m 21.5
in_netns mosquitto_pub $login -i writer -q 2 -t orders/new -m "$(head -c 3000 /dev/zero | tr '\0' x)"
in_netns mosquitto_pub -h 127.0.0.1 -u shop -P hunter2-wrong -i liar -q 1 -t a/b/c -m 1 || true
in_netns node "$here/talk-mqtt.mjs" "$1"
wait $reader || true
keep_capture
