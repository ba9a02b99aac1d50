import { amqpConversation } from './amqp.ts';
import type { ConversationMaker } from './conversation.ts';
import { cqlConversation } from './cql.ts';
import { dnsTcpConversation, dnsUdpConversation } from './dns.ts';
import { dubboConversation } from './dubbo.ts';
import { fastcgiConversation } from './fastcgi.ts';
import { grpcConversation } from './grpc.ts';
import { httpConnectConversation } from './http-connect.ts';
import { http1Conversation } from './http1.ts';
import { http2Conversation } from './http2.ts';
import { kafkaConversation } from './kafka.ts';
import { ldapConversation } from './ldap.ts';
import { memcachedConversation } from './memcached.ts';
import { memcachedBinaryConversation } from './memcached-binary.ts';
import { mongodbConversation } from './mongodb.ts';
import { mqttConversation } from './mqtt.ts';
import { mysqlConversation } from './mysql.ts';
import { natsConversation } from './nats.ts';
import { postgresqlConversation } from './postgresql.ts';
import { pulsarConversation } from './pulsar.ts';
import { redisConversation } from './redis.ts';
import { rocketmqConversation } from './rocketmq.ts';
import { smtpConversation } from './smtp.ts';
import { socksConversation } from './socks.ts';
import { tdsConversation } from './tds.ts';
import { thriftConversation } from './thrift.ts';
import { tnsConversation } from './tns.ts';
import { webSocketConversation } from './websocket.ts';

/** Every protocol of which conversations are made. */
export const CONVERSATIONS = {
  http1: http1Conversation,
  http2: http2Conversation,
  redis: redisConversation,
  memcached: memcachedConversation,
  postgresql: postgresqlConversation,
  mysql: mysqlConversation,
  mongodb: mongodbConversation,
  kafka: kafkaConversation,
  amqp: amqpConversation,
  nats: natsConversation,
  mqtt: mqttConversation,
  ldap: ldapConversation,
  cql: cqlConversation,
  tds: tdsConversation,
  memcachedBinary: memcachedBinaryConversation,
  dnsTcp: dnsTcpConversation,
  dnsUdp: dnsUdpConversation,
  grpc: grpcConversation,
  smtp: smtpConversation,
  fastcgi: fastcgiConversation,
  dubbo: dubboConversation,
  thrift: thriftConversation,
  rocketmq: rocketmqConversation,
  pulsar: pulsarConversation,
  tns: tnsConversation,
  socks: socksConversation,
  httpConnect: httpConnectConversation,
  websocket: webSocketConversation,
} as const satisfies Readonly<Record<string, ConversationMaker>>;

export type ConversationName = keyof typeof CONVERSATIONS;
