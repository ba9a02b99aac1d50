// Command pause is the smallest init: it reaps the children it is given and
// otherwise sleeps until it is told to end. It is both the cluster's sandbox
// image and the first process of each node's process namespace.
package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	signals := make(chan os.Signal, 64)
	signal.Notify(signals, syscall.SIGCHLD, syscall.SIGTERM, syscall.SIGINT)
	for {
		reap()
		if received := <-signals; received != syscall.SIGCHLD {
			os.Exit(0)
		}
	}
}

// reap collects every child that has ended; one SIGCHLD may stand for many.
func reap() {
	for {
		pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || pid <= 0 {
			return
		}
	}
}
