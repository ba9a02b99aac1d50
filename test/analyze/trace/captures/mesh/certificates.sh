#!/bin/bash
# Certificates of both sidecars, without a subject and with a SPIFFE identity each, in the current directory. Needs OpenSSL 3.
set -eu
key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2> /dev/null; }
leaf() {
  key "$1"
  openssl req -new -key "$1.key" -subj / -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 3650 -out "$1.pem" \
    -extfile <(echo "subjectAltName=critical,URI:spiffe://cluster.local/ns/shop/sa/$1") 2> /dev/null
}
key ca
openssl req -x509 -new -key ca.key -subj /O=cluster.local -days 3650 -out ca.pem
leaf web
leaf client
