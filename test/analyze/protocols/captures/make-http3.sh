#!/bin/bash
# Makes http3-quic-go.pcap and http3-aioquic.pcap with their key logs: HTTP/3 of quic-go and of aioquic, each to itself, on a loopback
# of its own. As root, with tcpdump, openssl, Go 1.26 or later, and Python 3 with venv. http3-recorded.ts lists what was asked.
set -eu
here=$(realpath "$(dirname "$0")")
space=ks-http3-capture
work=$(mktemp -d)
cd "$work"
finish() {
  for pid in ${server:-} ${dumper:-}; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  ip netns delete "$space" 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT
mkdir go
cat >go/main.go <<'GO'
package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
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

func handler(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	status, _ := strconv.Atoi(r.URL.Query().Get("status"))
	size, _ := strconv.Atoi(r.URL.Query().Get("size"))
	if wait, _ := strconv.Atoi(r.URL.Query().Get("wait")); wait > 0 {
		time.Sleep(time.Duration(wait) * time.Millisecond)
	}
	w.Header().Set("X-Served-By", "quic-go")
	if status > 0 {
		w.WriteHeader(status)
	}
	w.Write(bytes.Repeat([]byte("x"), size))
}

// serve serves HTTP/3 of one version of QUIC.
func serve(port int, pair tls.Certificate, version quic.Version) {
	server := &http3.Server{
		Handler:    http.HandlerFunc(handler),
		TLSConfig:  http3.ConfigureTLSConfig(&tls.Config{Certificates: []tls.Certificate{pair}}),
		QUICConfig: &quic.Config{Versions: []quic.Version{version}, Allow0RTT: true},
	}
	conn := must(net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}))
	go server.Serve(conn)
}

func client(keys io.Writer, version quic.Version) *http3.Transport {
	return &http3.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, ServerName: "web.shop", KeyLogWriter: keys},
		QUICConfig:      &quic.Config{Versions: []quic.Version{version}},
	}
}

func ask(transport *http3.Transport, method, url string, body int, limit time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	request := must(http.NewRequestWithContext(ctx, method, url, bytes.NewReader(bytes.Repeat([]byte("b"), body))))
	request.Header.Set("Authorization", "Bearer quic-secret-token")
	answer, err := transport.RoundTrip(request)
	if err != nil {
		fmt.Println(url, err)
		return
	}
	size, err := io.Copy(io.Discard, answer.Body)
	fmt.Println(method, url, answer.StatusCode, size, err)
}

func main() {
	if os.Args[1] == "serve" {
		pair := certificate()
		serve(4601, pair, quic.Version1)
		serve(4602, pair, quic.Version2)
		fmt.Println("ready")
		select {}
	}
	keys := must(os.OpenFile(os.Args[2], os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600))
	for _, side := range []struct {
		port    int
		version quic.Version
	}{{4601, quic.Version1}, {4602, quic.Version2}} {
		at := fmt.Sprintf("https://127.0.0.1:%d", side.port)
		transport := client(keys, side.version)
		ask(transport, "GET", at+"/items/7?size=20", 0, 5*time.Second)
		ask(transport, "GET", at+"/missing?status=404", 0, 5*time.Second)
		ask(transport, "POST", at+"/orders?size=9", 5000, 5*time.Second)
		ask(transport, "GET", at+"/broken?status=503&size=11", 0, 5*time.Second)
		ask(transport, "DELETE", at+"/items/9?status=204&token=quic-secret-token", 0, 5*time.Second)
		var group sync.WaitGroup
		for index := range 6 {
			group.Add(1)
			go func() {
				defer group.Done()
				ask(transport, "GET", fmt.Sprintf("%s/together/%d?size=%d", at, index, 3000*index), 0, 5*time.Second)
			}()
		}
		group.Wait()
		// More than a hundred packets: quic-go changes its keys.
		ask(transport, "GET", at+"/large?size=140000", 0, 5*time.Second)
		ask(transport, "GET", at+"/after-update?size=40", 0, 5*time.Second)
		ask(transport, "GET", at+"/slow?wait=600", 0, 200*time.Millisecond)
		time.Sleep(time.Second)
		ask(transport, "GET", at+"/last?size=5", 0, 5*time.Second)
		transport.Close()
		time.Sleep(50 * time.Millisecond)
	}
}
GO
cat >go/go.mod <<'MOD'
module shop

go 1.26.0

require github.com/quic-go/quic-go v0.64.1
MOD
(cd go && go mod tidy 2>/dev/null && go build -o talk .)
cat >peers.py <<'PY'
"""HTTP/3 by aioquic: `peers.py serve PORT CERT KEY`, `peers.py ask KEYLOG`."""
import asyncio, ssl, sys
from urllib.parse import urlparse, parse_qs
from aioquic.asyncio import connect, serve, QuicConnectionProtocol
from aioquic.h3.connection import H3_ALPN, H3Connection, ErrorCode
from aioquic.h3.events import HeadersReceived, DataReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.packet import QuicProtocolVersion
from aioquic.tls import CipherSuite, SessionTicket

class Server(QuicConnectionProtocol):
    http = None
    asked = {}
    def quic_event_received(self, event):
        if self.http is None:
            self.http = H3Connection(self._quic)
            self.asked = {}
        for one in self.http.handle_event(event):
            if isinstance(one, HeadersReceived):
                self.asked[one.stream_id] = dict(one.headers)
            if getattr(one, 'stream_ended', False) and one.stream_id in self.asked:
                asyncio.ensure_future(self.answer(one.stream_id))
    async def answer(self, stream):
        head = self.asked.pop(stream)
        query = parse_qs(urlparse(head[b':path'].decode()).query)
        number = lambda name, other: int(query.get(name, [other])[0])
        await asyncio.sleep(number('wait', 0) / 1000)
        self.http.send_headers(stream, [(b':status', str(number('status', 200)).encode()), (b'server', b'aioquic'), (b'x-shop-node', b'node-%d' % (stream % 7)), (b'content-type', b'text/plain')])
        self.http.send_data(stream, b'y' * number('size', 0), True)
        self.transmit()

class Client(QuicConnectionProtocol):
    http = None
    waits = {}
    def quic_event_received(self, event):
        if self.http is None:
            self.begin()
        for one in self.http.handle_event(event):
            if getattr(one, 'stream_ended', False):
                waiter = self.waits.pop(one.stream_id, None)
                if waiter: waiter.set_result(None)
    def begin(self):
        if self.http is not None: return
        self.http = H3Connection(self._quic)
        self.waits = {}
    def send(self, port, method, path, body=b''):
        stream = self._quic.get_next_available_stream_id()
        self.http.send_headers(stream, [(b':method', method.encode()), (b':scheme', b'https'), (b':authority', b'web.shop:%d' % port), (b':path', path.encode()), (b'user-agent', b'aioquic'), (b'x-request-id', b'request-%d' % stream), (b'x-client-zone', b'zone-a'), (b'authorization', b'Bearer quic-secret-token')], not body)
        if body: self.http.send_data(stream, body, True)
        waiter = asyncio.get_event_loop().create_future()
        self.waits[stream] = waiter
        self.transmit()
        return waiter

async def session(port, keys, cipher=None, version=None, ticket=None, early=False, tickets=None, rebind=False, update=False):
    configuration = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, verify_mode=ssl.CERT_NONE, server_name='web.shop', secrets_log_file=keys, session_ticket=ticket)
    if cipher: configuration.cipher_suites = [cipher]
    if version: configuration.supported_versions = [version]; configuration.original_version = version
    async with connect('127.0.0.1', port, configuration=configuration, create_protocol=Client, session_ticket_handler=(tickets.append if tickets is not None else None), wait_connected=not early) as client:
        client.begin()
        if early:
            waiter = client.send(port, 'GET', '/early?size=31')
            await client.wait_connected()
            await waiter
        await client.send(port, 'GET', '/items/1?size=10')
        await client.send(port, 'POST', '/orders?status=201&size=3', b'o' * 4000)
        await client.send(port, 'GET', '/missing?status=404')
        await asyncio.gather(*[client.send(port, 'GET', f'/together/{n}?size={n * 1500}&wait={10 * (5 - n)}') for n in range(6)])
        await client.send(port, 'GET', '/broken?status=500&size=12')
        if update:
            for n in range(3):
                client._quic.request_key_update()
                await client.send(port, 'GET', f'/updated/{n}?size=100')
        if rebind:
            # Another address: the connection goes on there.
            old = client._transport
            loop = asyncio.get_event_loop()
            client._quic.change_connection_id()
            transport, _ = await loop.create_datagram_endpoint(lambda: client, local_addr=('::', 0))
            client._transport = transport
            old.close()
            await client.send(port, 'GET', '/moved?size=17')
        await asyncio.sleep(0.05)
    await asyncio.sleep(0.05)

async def main():
    if sys.argv[1] == 'serve':
        tickets = {}
        for port, extra in ((4611, {}), (4612, {'retry': True})):
            configuration = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN, max_datagram_frame_size=65536)
            configuration.supported_versions = [QuicProtocolVersion.VERSION_1, QuicProtocolVersion.VERSION_2]
            configuration.load_cert_chain(sys.argv[2], sys.argv[3])
            await serve('127.0.0.1', port, configuration=configuration, create_protocol=Server, session_ticket_fetcher=lambda label: tickets.pop(label, None), session_ticket_handler=lambda ticket: tickets.__setitem__(ticket.ticket, ticket), **extra)
        print('ready', flush=True)
        await asyncio.Event().wait()
    keys = open(sys.argv[2], 'a')
    tickets = []
    await session(4611, keys, tickets=tickets, cipher=CipherSuite.AES_128_GCM_SHA256)
    await session(4611, keys, ticket=tickets[-1], early=True, cipher=CipherSuite.AES_128_GCM_SHA256)
    await session(4611, keys, cipher=CipherSuite.AES_256_GCM_SHA384)
    await session(4611, keys, cipher=CipherSuite.CHACHA20_POLY1305_SHA256, update=True)
    await session(4612, keys)
    await session(4611, keys, version=QuicProtocolVersion.VERSION_2, update=True)
    await session(4611, keys, rebind=True)
    keys.close()

asyncio.run(main())
PY
python3 -m venv python
python/bin/pip install -q aioquic==1.7.2
openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 3650 -subj /CN=web.shop \
  -addext subjectAltName=DNS:web.shop 2>/dev/null
ip netns add "$space"
ip netns exec "$space" ip link set lo up
# record NAME SERVER CLIENT
record() {
  rm -f "$here/http3-$1.pcap" "$here/http3-$1.keys"
  ip netns exec "$space" tcpdump -i lo -s 0 -w "$here/http3-$1.pcap" -U -Z root udp 2>tcpdump.log & dumper=$!
  ip netns exec "$space" $2 & server=$!
  sleep 2
  ip netns exec "$space" $3 "$here/http3-$1.keys"
  sleep 1
  kill "$server" "$dumper"
  wait || true
  chmod 644 "$here/http3-$1.keys"
}
record quic-go "go/talk serve" "go/talk ask"
record aioquic "python/bin/python peers.py serve cert.pem key.pem" "python/bin/python peers.py ask"
