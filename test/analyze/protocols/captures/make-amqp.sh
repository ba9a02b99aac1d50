#!/bin/sh
# Makes amqp.pcap: Debian's RabbitMQ 3.10 and python3-pika 1.2. Needs both installed, tcpdump and root. Everything talks on
# the loopback of a network namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
netns=ks-make-amqp
bin=/usr/lib/rabbitmq/bin

cat > "$work/talk.py" <<'PYTHON'
import logging, sys, time
import pika
logging.disable(logging.CRITICAL)

def connect(password="hunter2-right", **more):
    credentials = pika.PlainCredentials("shop", password)
    return pika.BlockingConnection(pika.ConnectionParameters("127.0.0.1", credentials=credentials, **more))

def attempt(what):
    try:
        what()
    except Exception as thrown:
        print(type(thrown).__name__, str(thrown)[:100])

connection = connect()
channel = connection.channel()
channel.exchange_declare("orders", "topic", durable=True)
channel.queue_declare("billing")
channel.queue_bind("billing", "orders", "order.*")
channel.basic_publish("orders", "order.new", b"one", pika.BasicProperties(content_type="text/plain", headers={"n": 1}))
channel.basic_publish("orders", "order.new", b"")
channel.basic_publish("", "billing", b"x" * 5000)
print(channel.basic_get("billing"))
channel.basic_ack(1)
print(channel.basic_get("billing", auto_ack=True)[0])
channel.basic_qos(prefetch_count=10)
seen = 0
for method, properties, body in channel.consume("billing", inactivity_timeout=0.3):
    if method is None:
        break
    seen += 1
    channel.basic_nack(method.delivery_tag, requeue=False)
channel.cancel()
channel.basic_get("billing")
channel.queue_purge("billing")
other = connection.channel()
other.confirm_delivery()
other.basic_publish("orders", "order.paid", b"y" * 20)
attempt(lambda: other.basic_publish("orders", "nobody", b"z" * 30, mandatory=True))
attempt(lambda: connection.channel().queue_declare("missing", passive=True))
attempt(lambda: connection.channel().queue_declare("billing", durable=True))
attempt(lambda: connection.channel().basic_publish("nowhere", "order.new", b"lost"))
transaction = connection.channel()
transaction.tx_select()
transaction.basic_publish("orders", "order.new", b"t")
transaction.tx_commit()
channel.queue_unbind("billing", "orders", "order.*")
channel.queue_delete("billing")
channel.exchange_delete("orders")
connection.close()

small = connect(frame_max=4096, heartbeat=2)
channel = small.channel()
channel.queue_declare("large", exclusive=True)
got = []
channel.basic_consume("large", lambda c, m, p, body: got.append((len(body), c.basic_ack(m.delivery_tag))))
channel.basic_publish("", "large", bytes(range(256)) * 50)
small.sleep(4)
print(got)
small.close()
attempt(lambda: connect("hunter2-wrong"))
attempt(lambda: connect(virtual_host="nowhere"))
PYTHON

ip netns add $netns
in_netns() { ip netns exec $netns "$@"; }
epmd= rabbit= sniffer=
finish() {
  kill $rabbit $sniffer 2> /dev/null || true
  wait $rabbit 2> /dev/null || true
  kill $epmd 2> /dev/null || true
  ip netns del $netns
  rm -rf "$work"
}
trap finish EXIT
in_netns ip link set lo mtu 1500 up
cd "$work"
export HOME="$work" ERL_EPMD_ADDRESS=127.0.0.1 RABBITMQ_NODENAME=shop@localhost RABBITMQ_MNESIA_BASE="$work/data" \
  RABBITMQ_LOG_BASE="$work/log" RABBITMQ_CONFIG_FILE="$work/rabbitmq" RABBITMQ_ENABLED_PLUGINS_FILE="$work/plugins" \
  RABBITMQ_CONF_ENV_FILE="$work/env" RABBITMQ_PID_FILE="$work/pid"
printf 'listeners.tcp.1 = 127.0.0.1:5672\ndefault_user = shop\ndefault_pass = hunter2-right\n' > "$work/rabbitmq.conf"
echo '[].' > "$work/plugins"
: > "$work/env"
ip netns exec $netns epmd &
epmd=$!
ip netns exec $netns $bin/rabbitmq-server > "$work/out" 2>&1 &
rabbit=$!
for _ in $(seq 90); do
  in_netns sh -c 'ss -ltn | grep -q :5672' && break
  sleep 1
done
sleep 2
ip netns exec $netns tcpdump -i lo -U -w "$work/amqp.pcap" tcp port 5672 2> "$work/tcpdump.log" &
sniffer=$!
sleep 1
in_netns /usr/bin/python3 "$work/talk.py"
sleep 1
kill $sniffer
wait $sniffer || true
sniffer=
cp "$work/amqp.pcap" "$here/amqp.pcap"
