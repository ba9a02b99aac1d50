#!/bin/sh
# Makes triple.pcap: make-triple.sh DIRECTORY, a virtual environment of Python with PyPI's apache-dubbo 3.0.0b1. Its client and its server
# talk Triple, Dubbo 3's protocol on HTTP/2. Needs tcpdump and root. Everything talks on the loopback of a network namespace of its own.
set -eu
name=triple
. "$(dirname "$0")/on-loopback.sh"
ip netns exec $netns "$1/bin/python" "$here/talk-triple.py" serve &
capture_server 50051
in_netns timeout 30 "$1/bin/python" "$here/talk-triple.py" call || true
keep_capture
