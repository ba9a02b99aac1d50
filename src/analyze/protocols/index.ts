import { amqp } from './amqp/index.ts';
import { cql } from './cql/index.ts';
import { dns, dnsTcp } from './dns/index.ts';
import { dubbo } from './dubbo/index.ts';
import { fastcgi } from './fastcgi/index.ts';
import { http1 } from './http1/index.ts';
import { http2 } from './http2/index.ts';
import { kafka } from './kafka/index.ts';
import { ldap } from './ldap/index.ts';
import { memcached } from './memcached/index.ts';
import { mongodb } from './mongodb/index.ts';
import { mqtt } from './mqtt/index.ts';
import { mysql } from './mysql/index.ts';
import { dhcp, dhcp6 } from './named/dhcp.ts';
import { ntp } from './named/ntp.ts';
import { sip, sipTcp } from './named/sip.ts';
import { syslog, syslogTcp } from './named/syslog.ts';
import { nats } from './nats/index.ts';
import { postgresql } from './postgresql/index.ts';
import type { DatagramProtocol, StreamProtocol } from './protocol.ts';
import { proxyProtocol } from './proxy-protocol.ts';
import { pulsar } from './pulsar/index.ts';
import { quic } from './quic/index.ts';
import { redis } from './redis/index.ts';
import { rocketmq } from './rocketmq/index.ts';
import { smtp } from './smtp/index.ts';
import { socks } from './socks.ts';
import { tds } from './tds/index.ts';
import { thrift } from './thrift/index.ts';
import { tls } from './tls/index.ts';
import { tns } from './tns/index.ts';
import { webSocket } from './websocket.ts';

/** Every protocol on TCP, in the order in which they are asked: strict and frequent ones first. */
export const STREAM_PROTOCOLS: readonly StreamProtocol[] = [
  proxyProtocol,
  http1,
  http2,
  tls,
  socks,
  dnsTcp,
  kafka,
  amqp,
  redis,
  nats,
  postgresql,
  mysql,
  memcached,
  ldap,
  mqtt,
  cql,
  tds,
  webSocket,
  mongodb,
  smtp,
  fastcgi,
  dubbo,
  thrift,
  rocketmq,
  pulsar,
  tns,
  sipTcp,
  syslogTcp,
];

/** Every protocol on UDP. */
export const DATAGRAM_PROTOCOLS: readonly DatagramProtocol[] = [dns, quic, ntp, dhcp, dhcp6, sip, syslog];

for (const list of [STREAM_PROTOCOLS, DATAGRAM_PROTOCOLS]) {
  if (new Set(list.map(({ name }) => name)).size < list.length) throw new Error('two protocols have one name');
}
