#!/bin/sh
# Makes mongodb.pcap (MongoDB's Node driver 6 against FerretDB 1.24 with SQLite) and mongodb-compressed.pcap (MongoDB's Go
# driver 1.16 with zstd, zlib and snappy; FerretDB compresses nothing, so that a go-between with the Go driver's own
# compression stands before it). Needs Go, Node with npm, tcpdump and root. Everything talks on the loopback of a network
# namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-/tmp/ksnoop-make-mongodb}
netns=ks-make-mongodb
mkdir -p "$work/server" "$work/between" "$work/node"
cd "$work"

cat > server/main.go <<'GO'
package main

import (
	"context"
	"log"
	"os"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	server, err := ferretdb.New(&ferretdb.Config{
		Listener:  ferretdb.ListenerConfig{TCP: "127.0.0.1:27017"},
		Handler:   "sqlite",
		SQLiteURL: os.Args[1],
	})
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(server.Run(context.Background()))
}
GO
cat > between/main.go <<'GO'
// Compresses between a client of 27018 and a server at 27017 that does not; with "talk", is the client.
package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net"
	"os"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
	"go.mongodb.org/mongo-driver/x/mongo/driver/wiremessage"
)

var little = binary.LittleEndian

func read(from net.Conn) []byte {
	head := make([]byte, 16)
	if _, err := io.ReadFull(from, head); err != nil {
		return nil
	}
	message := make([]byte, little.Uint32(head))
	copy(message, head)
	if _, err := io.ReadFull(from, message[16:]); err != nil {
		return nil
	}
	return message
}

func message(head []byte, operation uint32, body []byte) []byte {
	made := append(append([]byte{}, head[:12]...), 0, 0, 0, 0)
	little.PutUint32(made[12:], operation)
	made = append(made, body...)
	little.PutUint32(made, uint32(len(made)))
	return made
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func serve(client net.Conn) {
	server, err := net.Dial("tcp", "127.0.0.1:27017")
	check(err)
	defer client.Close()
	defer server.Close()
	for {
		request := read(client)
		if request == nil {
			return
		}
		var compressor wiremessage.CompressorID
		if little.Uint32(request[12:]) == 2012 {
			compressor = wiremessage.CompressorID(request[24])
			body, err := driver.DecompressPayload(request[25:], driver.CompressionOpts{
				Compressor: compressor, UncompressedSize: int32(little.Uint32(request[20:])),
			})
			check(err)
			request = message(request, little.Uint32(request[16:]), body)
		}
		server.Write(request)
		if little.Uint32(request[12:]) == 2013 && request[16]&2 != 0 {
			continue
		}
		reply := read(server)
		if reply == nil {
			return
		}
		operation := little.Uint32(reply[12:])
		at := 21
		if operation == 1 {
			at = 36
		}
		var document bson.D
		check(bson.Unmarshal(reply[at:], &document))
		for _, element := range document {
			if element.Key == "maxWireVersion" {
				document = append(document, bson.E{Key: "compression", Value: bson.A{"zstd", "zlib", "snappy"}})
				body, err := bson.Marshal(document)
				check(err)
				reply = message(reply, operation, append(append([]byte{}, reply[16:at]...), body...))
				break
			}
		}
		if compressor != 0 {
			body, err := driver.CompressPayload(reply[16:], driver.CompressionOpts{Compressor: compressor, ZlibLevel: 6, ZstdLevel: 6})
			check(err)
			head := make([]byte, 9)
			little.PutUint32(head, operation)
			little.PutUint32(head[4:], uint32(len(reply)-16))
			head[8] = byte(compressor)
			reply = message(reply, 2012, append(head, body...))
		}
		client.Write(reply)
	}
}

func talk(compressor string) {
	ctx := context.Background()
	set := options.Client().ApplyURI("mongodb://127.0.0.1:27018/?directConnection=true").SetCompressors([]string{compressor})
	client, err := mongo.Connect(ctx, set)
	check(err)
	tea := client.Database("shop").Collection("tea_" + compressor)
	_, err = tea.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "Assam"}})
	check(err)
	_, err = tea.InsertOne(ctx, bson.D{{Key: "_id", Value: 1}, {Key: "name", Value: "Assam again"}})
	fmt.Println(err)
	many := []any{}
	for index := 2; index < 300; index++ {
		many = append(many, bson.D{{Key: "_id", Value: index}, {Key: "name", Value: "a tea that is much like the one before"}})
	}
	_, err = tea.InsertMany(ctx, many)
	check(err)
	cursor, err := tea.Find(ctx, bson.D{})
	check(err)
	var all []bson.D
	check(cursor.All(ctx, &all))
	fmt.Println(compressor, len(all), client.Database("shop").RunCommand(ctx, bson.D{{Key: "brew", Value: "tea"}}).Err())
	client.Disconnect(ctx)
}

func main() {
	if os.Args[1] == "talk" {
		for _, compressor := range []string{"zstd", "zlib", "snappy"} {
			talk(compressor)
		}
		return
	}
	listener, err := net.Listen("tcp", "127.0.0.1:27018")
	check(err)
	for {
		client, err := listener.Accept()
		check(err)
		go serve(client)
	}
}
GO
if [ ! -e go.mod ]; then
  printf 'module capture\n\ngo 1.22\n\nrequire (\n\tgithub.com/FerretDB/FerretDB v1.24.0\n\tgo.mongodb.org/mongo-driver v1.16.0\n)\n' > go.mod
  go mod tidy
fi
go build -o ferret ./server
go build -o go-between ./between
[ -d node/node_modules ] || (cd node && npm init -y > /dev/null && npm install mongodb@6.21.0)
cat > node/talk.mjs <<'NODE'
import { MongoClient } from 'mongodb';

const attempt = (what) => what.catch((thrown) => console.log(thrown.name, thrown.message.slice(0, 100)));
const client = new MongoClient('mongodb://127.0.0.1:27017/?directConnection=true', { appName: 'shop-web' });
const orders = client.db('shop').collection('orders');
await orders.insertOne({ _id: 1, item: 'tea', price: 3.5, at: new Date(0), tags: ['hot', null], of: { a: /x/ } });
await attempt(orders.insertOne({ _id: 1, item: 'tea again' }));
await orders.insertMany([2, 3, 4, 5].map((_id) => ({ _id, item: 'pot', note: 'x'.repeat(4000) })));
console.log((await orders.find({ _id: { $gt: 1 } }, { batchSize: 2 }).toArray()).length);
await orders.findOne({ item: 'tea' });
await orders.updateOne({ _id: 1 }, { $set: { price: 4 } });
await orders.deleteOne({ _id: 5 });
console.log(await orders.countDocuments({ item: 'pot' }));
await orders.createIndex({ item: 1 });
await attempt(orders.aggregate([{ $brew: {} }]).toArray());
await attempt(client.db('shop').command({ brew: 'tea' }));
await client.db('shop').listCollections().toArray();
await attempt(client.db('shop').command({ createUser: 'clerk', pwd: 'hunter2-clerk', roles: [] }));
await orders.drop();
await client.db('shop').dropDatabase();
await client.close();
for (const authMechanism of ['PLAIN', 'SCRAM-SHA-256']) {
  const auth = { username: 'shop-user', password: 'hunter2-right' };
  const other = new MongoClient('mongodb://127.0.0.1:27017/?directConnection=true&authSource=$external', {
    auth, authMechanism, authSource: authMechanism === 'PLAIN' ? '$external' : 'admin', serverSelectionTimeoutMS: 1500,
  });
  await attempt(other.db('shop').command({ ping: 1 }));
  await other.close();
}
// Last: FerretDB answers what wants no answer, which puts the driver out of step.
const unheard = new MongoClient('mongodb://127.0.0.1:27017/?directConnection=true');
await unheard.db('shop').collection('log').insertOne({ line: 'unheard' }, { writeConcern: { w: 0 } });
await new Promise((resolve) => setTimeout(resolve, 300));
await attempt(unheard.close());
NODE

ip netns add $netns
server= between= sniffer=
trap 'kill $server $between $sniffer 2>/dev/null || true; sleep 1; ip netns del $netns' EXIT
in_netns() { ip netns exec $netns "$@"; }
in_netns ip link set lo mtu 1500 up
rm -rf data
mkdir data
ip netns exec $netns ./ferret "file:$work/data/" > ferret.log 2>&1 &
server=$!
ip netns exec $netns ./go-between serve > between.log 2>&1 &
between=$!
sleep 3
capture() { # file, port, who talks
  file=$1
  port=$2
  shift 2
  ip netns exec $netns tcpdump -i lo -U -w "$work/$file" tcp port "$port" 2> tcpdump.log &
  sniffer=$!
  sleep 1
  in_netns "$@" || true
  sleep 1
  kill $sniffer
  wait $sniffer || true
  sniffer=
  cp "$work/$file" "$here/$file"
}
capture mongodb.pcap 27017 node node/talk.mjs
capture mongodb-compressed.pcap 27018 ./go-between talk
