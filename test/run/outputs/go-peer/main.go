// Command go-peer is an HTTPS server and its client, of Go's crypto/tls alone. The server writes a key log (KeyLogWriter).
//
//	go-peer server ADDRESS CERTIFICATE KEY KEYLOG
//	go-peer client URL COUNT     one connection for each request, TLS 1.2 and 1.3, HTTP/1.1 and HTTP/2 in turn
package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
)

func main() {
	switch os.Args[1] {
	case "server":
		serve(os.Args[2], os.Args[3], os.Args[4], os.Args[5])
	case "client":
		count, err := strconv.Atoi(os.Args[3])
		check(err)
		for number := range count {
			request(fmt.Sprintf("%s/%d", os.Args[2], number), number)
		}
	}
}

func serve(address, certificate, key, keyLog string) {
	log, err := os.OpenFile(keyLog, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	check(err)
	listener, err := net.Listen("tcp", address)
	check(err)
	fmt.Println("ready")
	handler := http.HandlerFunc(func(answer http.ResponseWriter, question *http.Request) {
		fmt.Fprintf(answer, "you asked for %s", question.URL.Path)
	})
	server := &http.Server{Handler: handler, TLSConfig: &tls.Config{KeyLogWriter: log}}
	check(server.ServeTLS(listener, certificate, key))
}

func request(url string, number int) {
	version := uint16(tls.VersionTLS12 + number%2)
	settings := &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version}
	transport := &http.Transport{TLSClientConfig: settings, ForceAttemptHTTP2: number%4 < 2, DisableKeepAlives: number%4 >= 2}
	answer, err := (&http.Client{Transport: transport}).Get(url)
	check(err)
	_, err = io.Copy(io.Discard, answer.Body)
	check(err)
	check(answer.Body.Close())
	transport.CloseIdleConnections()
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
