import type { ConversationName } from './index.ts';

/**
 * How many of 100 exchanges all of whose packets were captured are stated whole, at least: "unknown" for everything is no
 * answer. Where nothing but the order tells which answer is whose, what surrounds a hole often proves nothing.
 */
export const STATED_PERCENT: Readonly<Record<ConversationName, number>> = {
  http1: 55,
  http2: 95,
  redis: 60,
  memcached: 60,
  postgresql: 60,
  mysql: 55,
  mongodb: 95,
  kafka: 95,
  amqp: 55,
  nats: 95,
  mqtt: 90,
  ldap: 90,
  cql: 90,
  tds: 55,
  memcachedBinary: 50,
  dnsTcp: 95,
  dnsUdp: 95,
  grpc: 45,
  smtp: 50,
  fastcgi: 80,
  dubbo: 95,
  thrift: 90,
  rocketmq: 95,
  pulsar: 85,
  tns: 95,
  socks: 70,
  httpConnect: 70,
  websocket: 70,
};
