import type { KnownDifference } from './known-traffic-differences.ts';

/** DNS, databases and queues. */
export const KNOWN_MESSAGE_DIFFERENCES: readonly KnownDifference[] = [
  {
    file: 'captures/http2.pcap',
    frames: [39, 69],
    what: ['HTTP/2 statuses', 'gRPC statuses'],
    reason: "the server's answer to a call that the client has ended by RST_STREAM",
  },
  {
    file: 'captures/memcached.pcap',
    frames: [38],
    what: ['memcached commands'],
    reason:
      'tshark reads one command of a segment, and no meta commands; what nobody answers (quit) ksnoop does not tell',
  },
  {
    file: 'captures/memcached-binary.pcap',
    frames: [1],
    what: ['memcached commands'],
    reason:
      'tshark has no names for commands of the binary protocol; their numbers are compared in protocols/memcached/binary-capture.test.ts',
  },
  {
    file: 'captures/mongodb-compressed.pcap',
    frames: [8, 42],
    what: ['MongoDB commands'],
    reason: 'tshark does not open what is compressed',
  },
  {
    file: 'captures/mysql.pcap',
    frames: [11, 36],
    what: ['MySQL statements'],
    reason: 'ksnoop masks passwords, and the texts of an INSERT without columns',
  },
  {
    file: 'captures/mysql-states.pcap',
    frames: [10],
    what: ['MySQL statements'],
    reason: 'ksnoop masks the texts of an INSERT without columns',
  },
  {
    file: 'zeek/postgresql/psql-create-insert-select-delete-drop.pcap',
    frames: [16],
    what: ['PostgreSQL statements'],
    reason: 'ksnoop masks the texts of an INSERT without columns',
  },
  {
    file: 'captures/postgresql.pcap',
    frames: [35],
    what: ['PostgreSQL statements'],
    reason: 'ksnoop masks the password',
  },
  {
    file: 'zeek/postgresql/greenhouse-app.pcap',
    frames: [76],
    what: ['PostgreSQL statements'],
    reason: 'ksnoop masks the password',
  },
  {
    file: 'tcpdump/dns-badlabel.pcap',
    frames: [1],
    what: ['DNS answers'],
    reason:
      'a name that breaks off, loops or has labels of no kind: tshark shows a remark in its place, ksnoop no question',
  },
  {
    file: 'tcpdump/resp_1_benchmark.pcap',
    frames: [1],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'tcpdump/resp_3_malicious.pcap',
    frames: [134],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/dns-edns-ecs-bad.pcap',
    frames: [1],
    what: ['DNS questions'],
    reason: 'tshark shows no question of a message whose counts do not fit; the first one is whole',
  },
  {
    file: 'zeek/dns/conn-count-too-large.pcap',
    frames: [1],
    what: ['DNS questions'],
    reason: 'tshark shows no question of a message whose counts do not fit; the first one is whole',
  },
  {
    file: 'zeek/dns/dns-invalid-names.pcap',
    frames: [2],
    what: ['DNS questions'],
    reason:
      'a name that breaks off, loops or has labels of no kind: tshark shows a remark in its place, ksnoop no question',
  },
  {
    file: 'zeek/dns/mdns-no-assoc.pcap',
    frames: [1, 5],
    what: ['DNS questions', 'DNS answers'],
    reason: 'multicast DNS with several questions, or none: no words that both have for one',
  },
  {
    file: 'zeek/dns/mdns.pcap',
    frames: [1, 2],
    what: ['DNS questions', 'DNS answers'],
    reason: 'multicast DNS with several questions, or none: no words that both have for one',
  },
  {
    file: 'zeek/mysql/mysql-9.0.0-query-attributes.pcap',
    frames: [1],
    what: ['MySQL statements'],
    reason: 'tshark 4.0 does not read query attributes of MySQL 9',
  },
  {
    file: 'zeek/quic/vector-max-size-crash.pcap',
    frames: [1],
    what: ['DNS questions'],
    reason:
      'a name that breaks off, loops or has labels of no kind: tshark shows a remark in its place, ksnoop no question',
  },
  {
    file: 'zeek/redis/array-element-object-exhaustion.pcap',
    frames: [1],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/redis/client-skip-while-off.pcap',
    frames: [1],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/redis/excessive-pipelining.pcap',
    frames: [1],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/redis/pipeline-with-commands.pcap',
    frames: [1],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/redis/pipelining-example.pcap',
    frames: [1],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/redis/reply-off-on-2conn.pcap',
    frames: [1, 13],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/redis/reply-off-on.pcap',
    frames: [1],
    what: ['Redis commands'],
    reason: 'tshark does not tell commands that are sent inline, or of arrays beside them',
  },
  {
    file: 'zeek/var-services-std-ports.pcap',
    frames: [32],
    what: ['DNS questions', 'DNS answers'],
    reason: 'multicast DNS with several questions, or none: no words that both have for one',
  },
  {
    file: 'zeek/websocket/oversized-close-frame.pcapng',
    frames: [6],
    what: ['WebSocket messages'],
    reason: 'a close of more than 125 bytes is none (RFC 6455, section 5.5)',
  },
  {
    file: 'zeek/wikipedia-filtered-plus-udp.pcap',
    frames: [2, 3],
    what: ['DNS questions', 'DNS answers'],
    reason: 'multicast DNS with several questions, or none: no words that both have for one',
  },
  {
    file: 'zeek/wikipedia.pcap',
    frames: [2, 3],
    what: ['DNS questions', 'DNS answers'],
    reason: 'multicast DNS with several questions, or none: no words that both have for one',
  },
  {
    file: 'captures/mysql-states.pcap',
    frames: [61],
    what: ['MySQL statements'],
    reason: 'tshark 4.0 does not expand compressed packets',
  },
  {
    file: 'captures/postgresql-states.pcap',
    frames: [86],
    what: ['PostgreSQL statements'],
    reason: 'a statement that the server passes over behind an error is no exchange',
  },
];
