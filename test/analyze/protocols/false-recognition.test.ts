import { join } from 'node:path';
import { expect, test } from 'vitest';
import { PROBE_BYTES } from '../../../src/analyze/limits.ts';
import { STREAM_PROTOCOLS } from '../../../src/analyze/protocols/index.ts';
import { CONVERSATIONS } from '../../oracle/loss/index.ts';
import { Random } from '../../support/random.ts';
import { conversations } from './conversations.ts';

const CAPTURES = join(import.meta.dirname, 'captures');

/** Made conversations whose exchanges have the name of another protocol than their bytes. */
const RECOGNISED_AS: Readonly<Record<string, readonly string[]>> = {
  http2: ['http2'],
  grpc: ['http2'],
  websocket: ['http'],
};
/** Of each protocol. */
const CONVERSATION_COUNT = 5;

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
      for (const name of recognisedAs(bytes)) {
        expect(allowed).toContain(name);
        recognised += 1;
      }
    }
  }
  expect(recognised).toBeGreaterThan(0);
});

/** Of the protocols without a capture above, and of forms that those captures do not have. */
test.each(Object.entries(CONVERSATIONS))(
  '%s: no message of made conversations is taken for another protocol',
  (name, make) => {
    let recognised = 0;
    for (let seed = 1; seed <= CONVERSATION_COUNT; seed += 1) {
      const { protocol, transport, opening, exchanges } = make(20, new Random(seed));
      if (transport === 'udp') return;
      const sent = exchanges.flatMap(({ before, request, response, after }) => [before, request, response, after]);
      const allowed = RECOGNISED_AS[name] ?? [protocol];
      for (const bytes of [...opening.map(([, what]) => what), ...sent]) {
        for (const name of bytes === undefined || bytes.length === 0 ? [] : recognisedAs(bytes)) {
          expect(allowed).toContain(name);
          recognised += 1;
        }
      }
    }
    expect(recognised).toBeGreaterThan(0);
  },
);

function recognisedAs(bytes: Uint8Array): string[] {
  return STREAM_PROTOCOLS.filter(({ probe }) => {
    const likeness = probe(bytes, 0, Math.min(bytes.length, PROBE_BYTES));
    return likeness !== 'no' && likeness !== 'more';
  }).map(({ name }) => name);
}
