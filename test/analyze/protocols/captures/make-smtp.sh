#!/bin/sh
# Makes smtp.pcap: make-smtp.sh DIRECTORY, which has npm's nodemailer 9 and smtp-server 3 installed. Python's smtplib talks with the same
# server. Needs node, python3, tcpdump and root. Everything talks on the loopback of a network namespace of its own.
set -eu
name=smtp
. "$(dirname "$0")/on-loopback.sh"
ip netns exec $netns node "$here/talk-smtp.mjs" "$1" serve &
capture_server 2525
in_netns timeout 20 node "$here/talk-smtp.mjs" "$1" || true
in_netns timeout 20 python3 "$here/talk-smtp.py" || true
keep_capture
