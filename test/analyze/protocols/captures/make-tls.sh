#!/bin/bash
# Makes tls.pcap: handshakes of real programs on a loopback of their own. As root, with tcpdump, OpenSSL 3, curl and Node.
# The ports say what happened; tls.test.ts lists them. Certificates are made anew: their times change.
set -eu
out=$(realpath "$(dirname "$0")")/tls.pcap
space=ks-tls-capture
work=$(mktemp -d)
cd "$work"
started=()
finish() {
  for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  ip netns delete "$space" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
ip netns add "$space"
inside() { ip netns exec "$space" "$@"; }
inside ip link set lo up

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>/dev/null; }
key ca; key web; key client; key other
openssl req -x509 -new -key ca.key -subj '/O=Shop/CN=Shop CA' -days 3650 -out ca.pem
openssl req -x509 -new -key other.key -subj '/CN=Other CA' -days 3650 -out other.pem
leaf() { # name subject days names
  openssl req -new -key "$1.key" -subj "$2" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days "$3" -out "$1.pem" -extfile <(echo "$4") 2>/dev/null
}
leaf web '/O=Shop/CN=web.shop' 3650 'subjectAltName=DNS:web.shop,DNS:*.shop.svc.cluster.local,IP:10.96.0.10'
leaf client '/O=Shop/CN=cart' 3650 'subjectAltName=DNS:cart.shop'

inside tcpdump -i lo -s 0 -w "$out" -U -Z root tcp 2>tcpdump.log & started+=($!)
serve() { # port options
  local port=$1; shift
  inside openssl s_server -accept "$port" -cert web.pem -key web.key -quiet "$@" >"s$port.log" 2>&1 & started+=($!)
}
serve 4401 -tls1_2 -alpn h2,http/1.1
serve 4402 -tls1_3 -alpn h2 -groups P-384 -early_data
serve 4403 -tls1_2 -CAfile ca.pem -Verify 2
serve 4404 -tls1_3 -CAfile ca.pem -Verify 2
serve 4405 -tls1_2 -cipher ECDHE-ECDSA-AES256-GCM-SHA384
serve 4406 -tls1 -cipher ALL:@SECLEVEL=0
serve 4407 -www
cat >server.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer as plain } from 'node:http';
import { createSecureServer } from 'node:http2';
const files = { cert: readFileSync('web.pem'), key: readFileSync('web.key') };
createSecureServer({ ...files, allowHTTP1: true }, (_, response) => response.end('shop')).listen(4408);
plain((_, response) => response.end('shop')).listen(4409);
JS
cat >client.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { get } from 'node:https';
get({ host: '127.0.0.1', servername: 'web.shop', port: 4408, ca: readFileSync('ca.pem') }, (response) => response.resume());
JS
inside node server.mjs & started+=($!)
sleep 1.5

ask() { # options: one connection, closed a moment after its handshake
  (sleep 0.3; echo Q) | inside openssl s_client -CAfile ca.pem "$@" >/dev/null 2>&1 || true
}
# 4401: TLS 1.2, in full, then resumed; another protocol than the server's.
ask -connect 127.0.0.1:4401 -servername web.shop -alpn h2,http/1.1 -sess_out 12.session
ask -connect 127.0.0.1:4401 -servername web.shop -alpn http/1.1 -sess_in 12.session
ask -connect 127.0.0.1:4401 -servername web.shop -alpn spdy/3
# 4402: TLS 1.3 with another ClientHello asked for, then resumed, then with early data.
ask -connect 127.0.0.1:4402 -servername web.shop -alpn h2 -groups X25519:P-384 -sess_out 13.session
ask -connect 127.0.0.1:4402 -servername web.shop -alpn h2 -groups P-384 -sess_in 13.session -sess_out 13b.session
echo early >early.txt
ask -connect 127.0.0.1:4402 -servername web.shop -alpn h2 -groups P-384 -sess_in 13b.session -early_data early.txt
# 4403, 4404: a client's certificate, and none.
ask -connect 127.0.0.1:4403 -servername web.shop -cert client.pem -key client.key
ask -connect 127.0.0.1:4403 -servername web.shop
ask -connect 127.0.0.1:4404 -servername web.shop -cert client.pem -key client.key
ask -connect 127.0.0.1:4404 -servername web.shop
# 4405: no common version; no common cipher; a client that trusts others, in TLS 1.2 and 1.3 (4407).
ask -connect 127.0.0.1:4405 -servername web.shop -tls1_3
ask -connect 127.0.0.1:4405 -servername web.shop -tls1_2 -cipher ECDHE-ECDSA-AES128-GCM-SHA256
ask -connect 127.0.0.1:4405 -servername web.shop -CAfile other.pem -verify_return_error
ask -connect 127.0.0.1:4407 -servername web.shop -CAfile other.pem -verify_return_error
# 4406: TLS 1.0, without a server name.
ask -connect 127.0.0.1:4406 -noservername -tls1 -cipher ALL:@SECLEVEL=0
# 4408: HTTP/2 by curl, HTTP/1.1 by Node; 4407: HTTP/1.0 by curl, without a server name: an address.
inside curl -s -o /dev/null --cacert ca.pem --resolve web.shop:4408:127.0.0.1 https://web.shop:4408/
inside node client.mjs
inside curl -sk -o /dev/null --http1.0 https://127.0.0.1:4407/
# 4409: TLS to a server that speaks plain HTTP.
inside curl -s -o /dev/null https://127.0.0.1:4409/ || true
sleep 1
