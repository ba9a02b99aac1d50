// Command requests reads a pcap file with gopacket, reassembles its TCP streams and counts the HTTP requests in them:
// a peer of ksnoop's benchmarks. It does what gopacket's own examples/httpassembly does, with what gopacket offers for
// speed: packets read without copying, decoded by a DecodingLayerParser.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
	"github.com/google/gopacket/tcpassembly"
	"github.com/google/gopacket/tcpassembly/tcpreader"
)

const readBytes = 1 << 20

// counter makes a reader for every stream and counts the requests of those that begin with one.
type counter struct {
	done     sync.WaitGroup
	lock     sync.Mutex
	requests int
	streams  int
}

func (c *counter) New(_, transport gopacket.Flow) tcpassembly.Stream {
	stream := tcpreader.NewReaderStream()
	c.done.Add(1)
	c.lock.Lock()
	c.streams++
	c.lock.Unlock()
	go c.read(&stream)
	return &stream
}

func (c *counter) read(stream *tcpreader.ReaderStream) {
	defer c.done.Done()
	requests := 0
	buffered := bufio.NewReader(stream)
	for {
		request, err := http.ReadRequest(buffered)
		if err != nil {
			// What does not begin with a request is no stream of requests: nobody reads the rest of it.
			tcpreader.DiscardBytesToEOF(stream)
			break
		}
		tcpreader.DiscardBytesToEOF(request.Body)
		request.Body.Close()
		requests++
	}
	c.lock.Lock()
	c.requests += requests
	c.lock.Unlock()
}

func run(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	reader, err := pcapgo.NewReader(bufio.NewReaderSize(file, readBytes))
	if err != nil {
		return err
	}
	var ethernet layers.Ethernet
	var ip4 layers.IPv4
	var ip6 layers.IPv6
	var tcp layers.TCP
	var payload gopacket.Payload
	parser := gopacket.NewDecodingLayerParser(layers.LayerTypeEthernet, &ethernet, &ip4, &ip6, &tcp, &payload)
	parser.IgnoreUnsupported = true
	counted := &counter{}
	assembler := tcpassembly.NewAssembler(tcpassembly.NewStreamPool(counted))
	decoded := make([]gopacket.LayerType, 0, 8)
	packets := 0
	for {
		data, info, err := reader.ZeroCopyReadPacketData()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		packets++
		if err := parser.DecodeLayers(data, &decoded); err != nil {
			continue
		}
		var network gopacket.Flow
		for _, layer := range decoded {
			switch layer {
			case layers.LayerTypeIPv4:
				network = ip4.NetworkFlow()
			case layers.LayerTypeIPv6:
				network = ip6.NetworkFlow()
			case layers.LayerTypeTCP:
				assembler.AssembleWithTimestamp(network, &tcp, info.Timestamp)
			}
		}
	}
	assembler.FlushAll()
	counted.done.Wait()
	fmt.Printf("%d packets, %d streams, %d requests\n", packets, counted.streams, counted.requests)
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: requests FILE")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
