#!/bin/sh
# Captures of tunnels between two network namespaces, on the veth pair beneath them: VXLAN by Linux, WireGuard by
# wireguard-go, IPIP and 6in4 by socat between TUN devices and raw sockets; fragments of pings too large for the MTU,
# inside of a tunnel and of the tunnel's own packets; ICMP errors of Linux as router and host.
# Needs root, iproute2, tcpdump, ping, curl, python3, socat, wireguard-go, wireguard-tools. Run in this directory.
set -eu
umask 077
A=ks-lay-a
B=ks-lay-b
HERE=$(pwd)
WORK=$(mktemp -d)
PIDS=
cleanup() {
  for pid in $PIDS; do kill "$pid" 2>/dev/null || true; done
  ip netns del $A 2>/dev/null || true
  ip netns del $B 2>/dev/null || true
  rm -rf "$WORK"
}
trap cleanup EXIT
a() { ip netns exec $A "$@"; }
b() { ip netns exec $B "$@"; }

ip netns add $A
ip netns add $B
ip link add ks0 netns $A type veth peer name ks0 netns $B
for side in a b; do
  if [ $side = a ]; then n=1; else n=2; fi
  $side sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0
  $side ip link set lo up
  $side ip address add 10.77.0.$n/24 dev ks0
  $side ip address add fd77::$n/64 dev ks0 nodad
  $side ip link set ks0 up
done

serve() { # address
  ip netns exec $B python3 -m http.server 8080 --bind "$1" --directory "$WORK" >/dev/null 2>&1 &
  server=$!
  PIDS="$PIDS $server"
  sleep 1
}
capture() { # file, filter
  ip netns exec $A tcpdump -q -Z root -U -i ks0 --immediate-mode -s 0 -w "$HERE/$1" "$2" >/dev/null 2>&1 &
  dump=$!
  PIDS="$PIDS $dump"
  sleep 1
}
finish() {
  sleep 1
  kill $dump
  wait $dump || true
}
echo hello >"$WORK/hello"

# VXLAN, on the port of IANA and on that of Linux, IPv4 and IPv6 beneath.
for side in a b; do
  if [ $side = a ]; then n=1 m=2; else n=2 m=1; fi
  $side ip link add vx0 type vxlan id 42 remote 10.77.0.$m local 10.77.0.$n dstport 4789
  $side ip link add vx1 type vxlan id 16777215 remote fd77::$m local fd77::$n dstport 8472
  $side ip address add 192.168.42.$n/24 dev vx0
  $side ip address add fd42::$n/64 dev vx0 nodad
  $side ip address add 192.168.43.$n/24 dev vx1
  $side ip link set vx0 up
  $side ip link set vx1 up
done
capture tunnel-vxlan.pcap 'udp port 4789 or udp port 8472'
serve 0.0.0.0
a curl -s http://192.168.42.2:8080/hello -o /dev/null
a curl -s http://192.168.43.2:8080/hello -o /dev/null
a ping -qc 1 fd42::2 >/dev/null
kill $server
finish

# Fragments: plain ones of both versions, out of the kernel's own hands; inside of VXLAN; and of VXLAN's packets.
a ip link set vx0 mtu 1450
capture fragments.pcap 'ip[6:2] & 0x3fff != 0 or ip6 proto 44 or udp port 4789'
a ping -qc 1 -s 4000 10.77.0.2 >/dev/null
a ping -qc 1 -s 4000 fd77::2 >/dev/null
a ping -qc 1 -s 2000 -M dont 192.168.42.2 >/dev/null
a ping -qc 1 -s 2000 fd42::2 >/dev/null
for side in a b; do $side ip link set vx0 mtu 1500; done
a ping -qc 1 -s 1472 -M dont 192.168.42.2 >/dev/null
a ping -qc 1 -s 4000 -M dont 192.168.42.2 >/dev/null
finish

# WireGuard: handshake and data.
for side in a b; do
  if [ $side = a ]; then n=1; else n=2; fi
  ip netns exec ks-lay-$side wireguard-go -f wgks$n >/dev/null 2>&1 &
  PIDS="$PIDS $!"
  wg genkey >"$WORK/key$n"
done
sleep 1
for side in a b; do
  if [ $side = a ]; then n=1 m=2; else n=2 m=1; fi
  $side wg set wgks$n private-key "$WORK/key$n" listen-port 51820 peer "$(wg pubkey <"$WORK/key$m")" \
    endpoint 10.77.0.$m:51820 allowed-ips 192.168.51.0/24
  $side ip address add 192.168.51.$n/24 dev wgks$n
  $side ip link set wgks$n up
done
capture tunnel-wireguard.pcap 'udp port 51820'
serve 192.168.51.2
a curl -s http://192.168.51.2:8080/hello -o /dev/null
kill $server
finish

# IPIP and 6in4.
for side in a b; do
  if [ $side = a ]; then n=1 m=2; else n=2 m=1; fi
  ip netns exec ks-lay-$side socat TUN:192.168.4.$n/24,tun-name=ipip,iff-no-pi,up IP4-SENDTO:10.77.0.$m:4 &
  PIDS="$PIDS $!"
  ip netns exec ks-lay-$side socat TUN,tun-name=sit,iff-no-pi,up IP4-SENDTO:10.77.0.$m:41 &
  PIDS="$PIDS $!"
  sleep 1
  $side ip address add fd41::$n/64 dev sit nodad
done
capture tunnel-ip.pcap 'ip proto 4 or ip proto 41'
serve ::
a curl -s http://192.168.4.2:8080/hello -o /dev/null
a curl -s 'http://[fd41::2]:8080/hello' -o /dev/null
kill $server
finish

# ICMP errors: a closed port, a router where the hop limit ends, and one whose next link is too small.
b sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0
b ip link add small type veth peer name other
b ip link set other up
b ip link set small mtu 1280 up
b ip address add 10.78.0.1/24 dev small
b ip address add fd78::1/64 dev small nodad
a ip route add 10.78.0.0/24 via 10.77.0.2
a ip route add fd78::/64 via fd77::2
capture icmp-errors.pcap 'icmp or icmp6 or udp or tcp'
a python3 - <<'PY'
import socket, time
def send(family, to, length, ttl=None, whole=False):
    s = socket.socket(family, socket.SOCK_DGRAM)
    v6 = family == socket.AF_INET6
    if ttl: s.setsockopt(socket.IPPROTO_IPV6 if v6 else socket.IPPROTO_IP, socket.IPV6_UNICAST_HOPS if v6 else socket.IP_TTL, ttl)
    if whole and not v6: s.setsockopt(socket.IPPROTO_IP, 10, 2)
    s.bind(('', 5000 + length % 1000))
    s.sendto(b'x' * length, to)
    time.sleep(0.2)
for family, host, far in ((socket.AF_INET, '10.77.0.2', '10.78.0.9'), (socket.AF_INET6, 'fd77::2', 'fd78::9')):
    send(family, (host, 9), 11)
    send(family, (far, 53), 12, ttl=1)
    send(family, (far, 53), 1400, whole=True)
s = socket.socket(); s.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 1); s.settimeout(0.3)
try: s.connect(('10.78.0.9', 80))
except OSError: pass
PY
finish
chmod 644 "$HERE"/*.pcap
