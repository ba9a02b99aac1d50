// A gRPC server and its client, both grpc-go with its own health service (grpc/health/v1): what the shop says in gRPC.
//
//	grpc serve ADDRESS
//	grpc call ADDRESS N     makes N calls one after the other and prints how many ended with which status
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: grpc serve ADDRESS | grpc call ADDRESS N"))
	}
	if os.Args[1] == "serve" {
		fail(serve(os.Args[2]))
	}
	n, err := strconv.Atoi(os.Args[len(os.Args)-1])
	if err != nil {
		fail(err)
	}
	if err := call(os.Args[2], n); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "grpc:", err)
	os.Exit(1)
}

func serve(address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	states := health.NewServer()
	states.SetServingStatus("cart", grpc_health_v1.HealthCheckResponse_SERVING)
	grpc_health_v1.RegisterHealthServer(server, states)
	return server.Serve(listener)
}

// One in three calls is answered, one asks for a service that is not there, one for a method that is not.
func call(address string, n int) error {
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer connection.Close()
	client := grpc_health_v1.NewHealthClient(connection)
	counts := map[string]int{}
	for number := range n {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		var err error
		switch number % 3 {
		case 0:
			_, err = client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "cart"})
		case 1:
			_, err = client.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: "attic"})
		default:
			err = connection.Invoke(ctx, "/shop.Orders/List", &emptypb.Empty{}, &emptypb.Empty{})
		}
		cancel()
		counts[name(status.Code(err))]++
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"sent": n, "status": counts})
}

// As the specification of gRPC writes them.
func name(code codes.Code) string {
	switch code {
	case codes.OK:
		return "OK"
	case codes.NotFound:
		return "NOT_FOUND"
	case codes.Unimplemented:
		return "UNIMPLEMENTED"
	default:
		return code.String()
	}
}
