#!/bin/bash
# Makes quic.pcap: connections of quic-go to itself on a loopback of its own. As root, with tcpdump and Go 1.24 or later.
# The server's ports say what happened; quic.test.ts lists them.
set -eu
out=$(realpath "$(dirname "$0")")/quic.pcap
space=ks-quic-capture
work=$(mktemp -d)
cd "$work"
finish() {
  [ -z "${dumper:-}" ] || kill "$dumper" 2>/dev/null || true
  wait 2>/dev/null || true
  ip netns delete "$space" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
cat >main.go <<'GO'
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"time"

	"github.com/quic-go/quic-go"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func certificate() tls.Certificate {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"web.shop"}, NotAfter: time.Now().AddDate(10, 0, 0)}
	der := must(x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func socket(port int) *net.UDPConn {
	return must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}))
}

// serve answers each stream with what it says.
func serve(port int, retry bool, tlsConfig *tls.Config, config *quic.Config) {
	transport := &quic.Transport{Conn: socket(port), VerifySourceAddress: func(net.Addr) bool { return retry }}
	listener := must(transport.ListenEarly(tlsConfig, config))
	go func() {
		for {
			connection, err := listener.Accept(context.Background())
			if err != nil {
				continue
			}
			go func() {
				stream, err := connection.AcceptStream(context.Background())
				if err != nil {
					return
				}
				buffer := make([]byte, 64)
				size, _ := stream.Read(buffer)
				stream.Write(buffer[:size])
				stream.Close()
			}()
		}
	}()
}

var sessions = tls.NewLRUClientSessionCache(8)

func ask(transport *quic.Transport, port int, early bool, alpn string, config *quic.Config) {
	tlsConfig := &tls.Config{InsecureSkipVerify: true, ServerName: "web.shop", NextProtos: []string{alpn}, ClientSessionCache: sessions}
	if port == 4502 {
		tlsConfig.CurvePreferences = []tls.CurveID{tls.X25519, tls.CurveP384}
	}
	deadline, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	to := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}
	dial := transport.Dial
	if early {
		dial = func(ctx context.Context, to net.Addr, tlsConfig *tls.Config, config *quic.Config) (quic.Connection, error) {
			return transport.DialEarly(ctx, to, tlsConfig, config)
		}
	}
	connection, err := dial(deadline, to, tlsConfig, config)
	if err != nil {
		fmt.Println(port, err)
		return
	}
	stream := must(connection.OpenStreamSync(deadline))
	stream.Write([]byte("hello"))
	stream.Close()
	stream.Read(make([]byte, 64))
	time.Sleep(50 * time.Millisecond)
	connection.CloseWithError(0, "")
	time.Sleep(50 * time.Millisecond)
}

func main() {
	pair := []tls.Certificate{certificate()}
	plain := &tls.Config{Certificates: pair, NextProtos: []string{"h3", "shop"}}
	v1 := &quic.Config{Versions: []quic.Version{quic.Version1}}
	v2 := &quic.Config{Versions: []quic.Version{quic.Version2}}
	both := &quic.Config{Versions: []quic.Version{quic.Version2, quic.Version1}}
	zero := &quic.Config{Versions: v1.Versions, Allow0RTT: true}
	serve(4501, false, plain, zero)
	serve(4502, false, &tls.Config{Certificates: pair, NextProtos: []string{"h3"}, CurvePreferences: []tls.CurveID{tls.CurveP384}}, v1)
	serve(4503, true, plain, v1)
	serve(4504, false, plain, v2)
	one := func() *quic.Transport { return &quic.Transport{Conn: socket(0)} }
	shared := one()
	ask(shared, 4501, false, "h3", v1)  // two connections of one socket
	ask(shared, 4501, true, "h3", v1)   // with early data
	ask(one(), 4501, false, "smtp", v1) // no common protocol
	ask(one(), 4502, false, "h3", v1)   // another ClientHello is asked for
	ask(one(), 4503, false, "shop", v1) // Retry
	ask(one(), 4504, false, "h3", v2)   // version 2
	ask(one(), 4501, false, "h3", both) // Version Negotiation
	short := &quic.Config{Versions: v1.Versions, HandshakeIdleTimeout: 300 * time.Millisecond}
	silent := socket(4505)
	ask(one(), 4505, false, "h3", short) // nobody answers
	silent.Close()
}
GO
cat >go.mod <<'MOD'
module shop

go 1.24

require github.com/quic-go/quic-go v0.48.2
MOD
go mod tidy 2>/dev/null
go build -o talk .
ip netns add "$space"
ip netns exec "$space" ip link set lo up
ip netns exec "$space" tcpdump -i lo -s 0 -w "$out" -U -Z root udp 2>tcpdump.log & dumper=$!
sleep 1
ip netns exec "$space" ./talk
sleep 1
