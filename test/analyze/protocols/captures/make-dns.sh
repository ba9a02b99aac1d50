#!/bin/sh
# Makes dns.pcap: CoreDNS 1.15.0 and dnsmasq 2.90 asked by dig and nsupdate (BIND 9.18) and by glibc's resolver, over UDP
# and TCP. Needs root, tcpdump, dnsmasq, dig, nsupdate, socat, and Go to build CoreDNS (or COREDNS names the program, with
# its plugins bind, file, template and transfer). Everything talks on the loopback of a network namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
netns=ks-make-dns
work=$(mktemp -d)
pids=
finish() {
  for pid in $pids; do kill "$pid" 2>/dev/null || true; done
  wait
  ip netns del $netns
  rm -rf "$work" "/etc/netns/$netns"
}
trap finish EXIT
coredns=${COREDNS:-$work/coredns}
if [ ! -x "$coredns" ]; then
  cat > "$work/main.go" <<'GO'
package main

import (
	"github.com/coredns/coredns/coremain"
	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/file"
	_ "github.com/coredns/coredns/plugin/template"
	_ "github.com/coredns/coredns/plugin/transfer"
)

func main() { coremain.Run() }
GO
  printf 'module x\ngo 1.25\nrequire github.com/coredns/coredns v1.15.0\n' > "$work/go.mod"
  (cd "$work" && go build -mod=mod -o coredns .)
fi
ip netns add $netns
mkdir -p "/etc/netns/$netns"
inside() { ip netns exec $netns "$@"; }
inside ip link set lo up
inside ip addr add 127.0.0.9/8 dev lo
echo 'passwd: files
hosts: dns' > "/etc/netns/$netns/nsswitch.conf"

cat > "$work/Corefile" <<COREFILE
.:53 {
  bind 127.0.0.1
  transfer {
    to *
  }
  file $work/zone cluster.local
  template ANY ANY broken.test {
    rcode SERVFAIL
  }
  template ANY ANY refused.test {
    rcode REFUSED
  }
}
COREFILE
cat > "$work/zone" <<'ZONE'
$ORIGIN cluster.local.
$TTL 30
@ IN SOA ns.dns hostmaster 1 7200 1800 86400 30
@ IN NS ns.dns
ns.dns IN A 10.96.0.10
web.shop.svc IN A 10.96.0.21
web.shop.svc IN AAAA fd00:10:96::21
web.shop.svc IN HTTPS 1 . alpn="h2,h3" port=8443 ipv4hint=10.96.0.21 ipv6hint=fd00:10:96::21
_web._tcp.shop.svc IN SVCB 2 web.shop.svc alpn="h2" mandatory=alpn key65333="a b"
alias.shop.svc IN CNAME web.shop.svc
_http._tcp.web.shop.svc IN SRV 0 100 80 web.shop.svc
mail.shop.svc IN MX 10 web.shop.svc
ca.shop.svc IN CAA 0 issue "ca.example"
note.shop.svc IN TXT "two \"words\"" "and more"
strange\032\.\200.shop.svc IN A 10.96.0.22
ZONE
for index in $(seq 60); do echo "many.shop.svc IN A 10.244.0.$index" >> "$work/zone"; done
ip netns exec $netns "$coredns" -conf "$work/Corefile" > "$work/coredns.log" 2>&1 &
pids="$pids $!"
ip netns exec $netns dnsmasq --keep-in-foreground --no-resolv --no-hosts --listen-address=127.0.0.2 --bind-interfaces \
  --pid-file= --user=root --host-record=db.test,192.0.2.7,2001:db8::7 --auth-ttl=5 > "$work/dnsmasq.log" 2>&1 &
pids="$pids $!"
# Takes queries and never answers.
ip netns exec $netns socat -u UDP4-RECV:53,bind=127.0.0.9 /dev/null &
pids="$pids $!"
sleep 2
ip netns exec $netns tcpdump -i lo -U -w "$work/dns.pcap" 'port 53' 2> "$work/tcpdump.log" &
tcpdump=$!
sleep 1

ask() { inside dig +time=1 +tries=1 "$@" > /dev/null || true; }
at=@127.0.0.1
for type in A AAAA HTTPS; do ask $at web.shop.svc.cluster.local $type; done
ask $at _web._tcp.shop.svc.cluster.local SVCB
ask $at alias.shop.svc.cluster.local
ask $at _http._tcp.web.shop.svc.cluster.local SRV
ask $at mail.shop.svc.cluster.local MX
ask $at ca.shop.svc.cluster.local CAA
ask $at note.shop.svc.cluster.local TXT
ask $at cluster.local SOA
ask $at 'strange\032\.\200.shop.svc.cluster.local'
ask $at Web.SHOP.svc.Cluster.LOCAL
ask $at nothing.shop.svc.cluster.local
ask $at +noedns web.shop.svc.cluster.local
ask $at +subnet=192.0.2.0/24 +nsid +dnssec web.shop.svc.cluster.local
ask $at +edns=1 +noednsnegotiation web.shop.svc.cluster.local
ask $at x.broken.test
ask $at x.refused.test
ask $at -t TYPE65280 web.shop.svc.cluster.local
ask $at +noedns +notcp many.shop.svc.cluster.local
ask $at +tcp web.shop.svc.cluster.local
ask $at +tcp +keepopen web.shop.svc.cluster.local AAAA nothing.shop.svc.cluster.local A many.shop.svc.cluster.local A
ask $at cluster.local AXFR
ask @127.0.0.2 db.test
ask @127.0.0.2 db.test AAAA
ask @127.0.0.2 other.test
ask @127.0.0.2 version.bind TXT CH
inside dig +time=1 +tries=2 @127.0.0.9 lost.test > /dev/null || true
printf 'server 127.0.0.2\nzone test\nupdate add new.test 5 A 192.0.2.8\nsend\n' | inside nsupdate || true
echo 'nameserver 127.0.0.1' > "/etc/netns/$netns/resolv.conf"
inside getent ahosts web.shop.svc.cluster.local || true
printf 'nameserver 127.0.0.9\noptions timeout:1 attempts:2\n' > "/etc/netns/$netns/resolv.conf"
inside getent ahosts lost.test || true
sleep 1
kill $tcpdump
wait $tcpdump || true
cp "$work/dns.pcap" "$here/dns.pcap"
