#!/bin/sh
# Makes memcached-binary.pcap: make-memcached-binary.sh DIRECTORY, a virtual environment of Python with PyPI's python-binary-memcached.
# It talks with Debian's memcached. Needs tcpdump and root. Everything talks on the loopback of a network namespace of its own.
set -eu
name=memcached-binary
. "$(dirname "$0")/on-loopback.sh"
ip netns exec $netns memcached -l 127.0.0.1 -u nobody &
capture_server 11211
in_netns timeout 20 "$1/bin/python" "$here/talk-memcached-binary.py" || true
keep_capture
