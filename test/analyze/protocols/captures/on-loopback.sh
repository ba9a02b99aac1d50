# Read by make-NAME.sh of a protocol with one server, with `name` set: a network namespace of its own, in which all talk on the
# loopback. Sets `here`, `netns` and `work`, a directory that is removed at the end. Needs tcpdump and root.
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
netns=ks-make-$name
server= sniffer=
finish() {
  kill $server $sniffer 2> /dev/null || true
  ip netns del $netns
  rm -rf "$work"
}
ip netns add $netns
trap finish EXIT
ip -n $netns link set lo mtu 1500 up

# In the foreground only: what runs in the background is ended by its own process id.
in_netns() { ip netns exec $netns "$@"; }

# The server was started in the background: wait until it listens at this TCP port, and capture that from now on.
capture_server() {
  server=$!
  for _ in $(seq 50); do
    in_netns sh -c "ss -ltn | grep -q :$1" && break
    sleep 0.2
  done
  ip netns exec $netns tcpdump -i lo -U -w "$work/$name.pcap" tcp port "$1" 2> "$work/tcpdump.log" &
  sniffer=$!
  sleep 1
}

# Keep what was captured as NAME.pcap.
keep_capture() {
  sleep 1
  kill $sniffer
  wait $sniffer || true
  sniffer=
  cp "$work/$name.pcap" "$here/$name.pcap"
}
