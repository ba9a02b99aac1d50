#!/bin/sh
# Makes memcached.pcap: Debian's memcached asked in words through netcat (packages memcached, ncat or netcat, tcpdump; as root).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
net=ks-memcached
ip netns add $net
finish() {
  ip netns pids $net | xargs -r kill 2> /dev/null || true
  sleep 1
  ip netns del $net
}
trap finish EXIT
inside() { ip netns exec $net "$@"; }
inside ip link set lo up
inside memcached -l 127.0.0.1 -u nobody &
inside tcpdump -i lo -s 0 -Z root -U -w "$here/memcached.pcap" 'tcp port 11211' 2> /dev/null &
sleep 1
say() { printf "$1"; sleep 0.1; }
talk() {
  say 'set cart 0 60 5\r\nhello\r\n'
  say 'get cart\r\n'
  say 'get nothing\r\n'
  say 'gets cart nothing other\r\n'
  say 'add cart 0 0 1\r\nx\r\n'
  say 'set count 0 0 1\r\n1\r\nincr count 5\r\nget count\r\n'
  say 'set quiet 0 0 2 noreply\r\nok\r\nget quiet\r\n'
  say 'delete cart\r\ndelete cart\r\n'
  say 'ms meta 3 T60\r\nabc\r\nmg meta v t\r\nmg none v\r\nmn\r\n'
  say 'wrong\r\n'
  say 'version\r\nstats settings\r\n'
  say 'quit\r\n'
}
talk | inside busybox nc 127.0.0.1 11211 > /dev/null
sleep 1
