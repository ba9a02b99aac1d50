#!/bin/sh
# Makes kafka.pcap (the Java client 3.9 against a KRaft broker 3.9: flexible versions, SASL, errors) and
# kafka-old.pcap (the Java client 1.1 against the same broker: versions before flexible ones).
# Needs Maven, a JDK of 17 or later, tcpdump and root. Everything talks on the loopback of a network namespace of its own.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=${WORK:-/tmp/ksnoop-make-kafka}
netns=ks-make-kafka
mkdir -p "$work"
cd "$work"

pom() { # file, dependencies as group:artifact:version
  pom=$1
  shift
  {
    echo '<project><modelVersion>4.0.0</modelVersion><groupId>x</groupId><artifactId>x</artifactId><version>1</version>'
    echo '<packaging>pom</packaging><dependencies>'
    for dependency; do
      echo "$dependency" | sed 's|\(.*\):\(.*\):\(.*\)|<dependency><groupId>\1</groupId><artifactId>\2</artifactId><version>\3</version></dependency>|'
    done
    echo '</dependencies></project>'
  } > "$pom"
}
pom new.xml org.apache.kafka:kafka_2.13:3.9.0 org.apache.kafka:kafka-tools:3.9.0
pom old.xml org.apache.kafka:kafka-clients:1.1.0
[ -d new ] || mvn -B -q -f new.xml dependency:copy-dependencies -DoutputDirectory="$work/new"
[ -d old ] || mvn -B -q -f old.xml dependency:copy-dependencies -DoutputDirectory="$work/old"

cat > Talk.java <<'JAVA'
import java.time.Duration;
import java.util.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;

public class Talk {
  static Properties to(String port, String... more) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", "127.0.0.1:" + port);
    properties.put("client.id", "shop-web");
    properties.put("key.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    properties.put("value.serializer", "org.apache.kafka.common.serialization.StringSerializer");
    properties.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    properties.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    for (int index = 0; index < more.length; index += 2) properties.put(more[index], more[index + 1]);
    return properties;
  }

  static void produce(Properties properties, String topic, int count, int size) {
    try (Producer<String, String> producer = new KafkaProducer<>(properties)) {
      for (int index = 0; index < count; index += 1) {
        char[] value = new char[size];
        Arrays.fill(value, (char) ('a' + index));
        producer.send(new ProducerRecord<>(topic, "key" + index, new String(value))).get();
      }
    } catch (Exception thrown) {
      System.out.println("produce " + topic + ": " + thrown);
    }
  }

  @SuppressWarnings("deprecation")
  static void consume(Properties properties, String topic, int wanted) {
    try (Consumer<String, String> consumer = new KafkaConsumer<>(properties)) {
      consumer.subscribe(Collections.singletonList(topic));
      int seen = 0;
      for (int turn = 0; turn < 200 && seen < wanted; turn += 1) seen += consumer.poll(100).count();
      for (int turn = 0; turn < 8; turn += 1) consumer.poll(100);
      consumer.commitSync();
      System.out.println("consumed " + seen + " of " + topic);
    } catch (Exception thrown) {
      System.out.println("consume " + topic + ": " + thrown);
    }
  }

  public static void main(String[] words) throws Exception {
    String version = words[0];
    String topic = "orders-" + version;
    try (AdminClient admin = AdminClient.create(to("9092", "client.id", "shop-admin"))) {
      admin.createTopics(Collections.singletonList(new NewTopic(topic, 2, (short) 1))).all().get();
      try {
        admin.createTopics(Collections.singletonList(new NewTopic(topic, 2, (short) 1))).all().get();
      } catch (Exception thrown) {
        System.out.println("again: " + thrown);
      }
    }
    produce(to("9092", "acks", "all"), topic, 3, 40);
    produce(to("9092", "acks", "0"), topic, 2, 40);
    produce(to("9092", "acks", "1", "max.request.size", "2000000"), topic, 1, 9000);
    produce(to("9092", "acks", "1", "max.request.size", "2000000"), "small-ones", 1, 3000);
    produce(to("9092", "max.block.ms", "600"), "no-such-topic", 1, 10);
    consume(to("9092", "group.id", "billing-" + version, "heartbeat.interval.ms", "500", "auto.offset.reset", "earliest"), topic, 6);
    String[] plain = {"security.protocol", "SASL_PLAINTEXT", "sasl.mechanism", "PLAIN", "sasl.jaas.config", "", "max.block.ms", "600"};
    String login = "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"shop\" password=\"%s\";";
    plain[5] = String.format(login, "hunter2-right");
    produce(to("9094", plain), topic, 1, 20);
    plain[5] = String.format(login, "hunter2-wrong");
    produce(to("9094", plain), topic, 1, 20);
    plain[3] = "SCRAM-SHA-256";
    plain[5] = "org.apache.kafka.common.security.scram.ScramLoginModule required username=\"clerk\" password=\"hunter2-scram\";";
    produce(to("9094", plain), topic, 1, 20);
  }
}
JAVA

cat > server.properties <<'PROPERTIES'
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:9093
listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093,SASL_PLAINTEXT://127.0.0.1:9094
advertised.listeners=PLAINTEXT://127.0.0.1:9092,SASL_PLAINTEXT://127.0.0.1:9094
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl_plaintext.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="hunter2-admin" user_shop="hunter2-right";
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
PROPERTIES
rm -rf data
echo "log.dirs=$work/data" >> server.properties
cat > log4j.properties <<'PROPERTIES'
log4j.rootLogger=WARN, stdout
log4j.appender.stdout=org.apache.log4j.ConsoleAppender
log4j.appender.stdout.layout=org.apache.log4j.PatternLayout
PROPERTIES
java -cp "new/*" kafka.tools.StorageTool format -t "$(java -cp 'new/*' kafka.tools.StorageTool random-uuid)" \
  -c server.properties --add-scram 'SCRAM-SHA-256=[name=clerk,password=hunter2-scram]' > format.log 2>&1

ip netns add $netns
broker= sniffer=
trap 'kill $broker $sniffer 2>/dev/null || true; sleep 1; ip netns del $netns' EXIT
in_netns() { ip netns exec $netns "$@"; }
in_netns ip link set lo mtu 1500 up
ip netns exec $netns java -Xmx400m "-Dlog4j.configuration=file:$work/log4j.properties" -cp "new/*" kafka.Kafka server.properties > broker.log 2>&1 &
broker=$!
for _ in $(seq 120); do
  in_netns java -cp "new/*" org.apache.kafka.tools.TopicCommand --bootstrap-server 127.0.0.1:9092 --create --if-not-exists \
    --topic small-ones --config max.message.bytes=1000 > create.log 2>&1 && break
  sleep 1
done

for version in new old; do
  file=kafka.pcap
  [ $version = new ] || file=kafka-old.pcap
  ip netns exec $netns tcpdump -i lo -U -w "$work/$file" 'tcp port 9092 or tcp port 9094' 2> tcpdump.log &
  sniffer=$!
  sleep 1
  in_netns java -cp "$version/*" Talk.java $version || true
  sleep 1
  kill $sniffer
  wait $sniffer || true
  sniffer=
  cp "$work/$file" "$here/$file"
done
