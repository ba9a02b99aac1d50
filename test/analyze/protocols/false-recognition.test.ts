import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROBE_BYTES } from '../../../src/analyze/limits.ts';
import { STREAM_PROTOCOLS } from '../../../src/analyze/protocols/index.ts';
import { conversations } from './conversations.ts';

const CAPTURES = join(import.meta.dirname, 'captures');

/** Captures, and the protocols whose bytes they have or that take some of them for theirs. */
const RECOGNISED: Readonly<Record<string, readonly string[]>> = {
  amqp: ['amqp'],
  cql: ['cql'],
  dns: ['dns'],
  fastcgi: ['fastcgi'],
  http2: ['http2'],
  kafka: ['kafka'],
  'kafka-old': ['kafka'],
  // StartTLS.
  ldap: ['ldap', 'tls'],
  memcached: ['memcached'],
  'memcached-binary': ['memcached'],
  mongodb: ['mongodb'],
  'mongodb-compressed': ['mongodb'],
  mqtt: ['mqtt'],
  mysql: ['mysql'],
  'mysql-states': ['mysql'],
  // A PING of NATS is an inline command of Redis as well; on NATS' port NATS is asked first.
  nats: ['nats', 'redis'],
  postgresql: ['postgresql'],
  'postgresql-states': ['postgresql'],
  pulsar: ['pulsar'],
  rocketmq: ['rocketmq'],
  // STARTTLS.
  smtp: ['smtp', 'tls'],
  thrift: ['thrift'],
  tns: ['tns'],
  'proxy-protocol': ['proxy', 'http'],
  'proxy-protocol-tls': ['proxy', 'tls'],
  tds: ['tds'],
  tls: ['tls', 'http'],
  triple: ['http2'],
  websocket: ['http'],
};

test.each(Object.entries(RECOGNISED))('%s: no segment is taken for another protocol', (file, allowed) => {
  let recognised = 0;
  for (const steps of conversations(join(CAPTURES, `${file}.pcap`))) {
    for (const [, bytes] of steps) {
      if (!(bytes instanceof Uint8Array)) continue;
      for (const { name, probe } of STREAM_PROTOCOLS) {
        const likeness = probe(bytes, 0, Math.min(bytes.length, PROBE_BYTES));
        if (likeness === 'no' || likeness === 'more') continue;
        expect(allowed).toContain(name);
        recognised += 1;
      }
    }
  }
  expect(recognised).toBeGreaterThan(0);
});
