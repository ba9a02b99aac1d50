import { expect, test } from 'vitest';
import { http1 } from '../../../../../src/analyze/protocols/http1/index.ts';
import { Decryption } from '../../../../../src/analyze/protocols/tls/decrypt/decryption.ts';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import type { ServerHello } from '../../../../../src/analyze/protocols/tls/server-hello.ts';
import { type AnalysisEvent, SIDE, type Side } from '../../../../../src/analyze/record/event.ts';
import { Sealer } from './sealed.ts';

const RECORD = { handshake: 22, data: 23, alert: 21 } as const;
const RANDOM = Buffer.alloc(32, 7);
const SECRETS = {
  CLIENT_EARLY_TRAFFIC_SECRET: Buffer.alloc(32, 1),
  CLIENT_HANDSHAKE_TRAFFIC_SECRET: Buffer.alloc(32, 2),
  SERVER_HANDSHAKE_TRAFFIC_SECRET: Buffer.alloc(32, 3),
  CLIENT_TRAFFIC_SECRET_0: Buffer.alloc(32, 4),
  SERVER_TRAFFIC_SECRET_0: Buffer.alloc(32, 5),
} as const;
const LINES = Object.entries(SECRETS).map(
  ([label, secret]) => `${label} ${RANDOM.toString('hex')} ${secret.toString('hex')}\n`,
);
const HELLO: ServerHello = {
  version: 0x0304,
  cipher: 0x1301,
  alpn: undefined,
  retry: false,
  preSharedKey: true,
  encryptThenMac: false,
};

const request = (path: string) => Buffer.from(`GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
const response = (body: string) => Buffer.from(`HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`);

/** A decryption of a connection that is handed record after record, each acknowledging all before it. */
function connection(keys = keysOf(LINES)) {
  const events: AnalysisEvent[] = [];
  const alerts: number[] = [];
  const sent: [number, number] = [0, 0];
  const context = {
    now: 0,
    offset: 0,
    acknowledged: -1,
    timeKnown: true,
    lateEnd: -1,
    lateAcknowledged: -1,
    isCrossing: false,
    isCut: false,
    midstream: false,
    detail: true,
    showSecrets: false,
    serverPort: 443,
    beginning: () => 0,
    finSeen: () => true,
    emit: (event: AnalysisEvent) => void events.push(event),
    annotate: () => {},
    become: () => ({ data: () => {}, gap: () => {}, end: () => {} }),
  };
  const recognition = {
    protocol: http1,
    fromServer: undefined,
    undecided: false,
    look: () => {},
  };
  const decryption = new Decryption(
    context,
    { keys, recognition },
    {
      onDecrypted: () => {},
      onAlert: (_side, _level, description) => void alerts.push(description),
    },
  );
  return {
    decryption,
    alerts,
    hello: () => decryption.onClientHello(RANDOM),
    serverHello: () => decryption.onServerHello(HELLO, RANDOM),
    say: (side: Side, record: Buffer) => {
      context.now += 1_000_000;
      context.offset = sent[side];
      context.acknowledged = sent[side === SIDE.client ? SIDE.server : SIDE.client];
      sent[side] += record.length;
      decryption.data(side, record, 0, record.length);
    },
    lose: (side: Side, record: Buffer) => {
      sent[side] += record.length;
      decryption.gap(side, record.length);
    },
    end: () => {
      decryption.end('closed');
      return events.map((event) =>
        event.kind === 'exchange' ? `${event.label} ${event.status} ${event.incomplete ?? ''}`.trim() : event.label,
      );
    },
  };
}

function keysOf(lines: readonly string[]): KeyLog {
  const keys = new KeyLog();
  keys.add(lines.join(''));
  return keys;
}

test('both sides change their keys, records are padded, and tickets lie between', () => {
  const talk = connection();
  talk.hello();
  talk.serverHello();
  const client = new Sealer(SECRETS.CLIENT_TRAFFIC_SECRET_0);
  const server = new Sealer(SECRETS.SERVER_TRAFFIC_SECRET_0);
  talk.say(
    SIDE.client,
    new Sealer(SECRETS.CLIENT_HANDSHAKE_TRAFFIC_SECRET).seal(RECORD.handshake, Buffer.from([20, 0, 0, 1, 9])),
  );
  talk.say(SIDE.server, server.seal(RECORD.handshake, Buffer.from([4, 0, 0, 2, 1, 1])));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/a'), 300));
  talk.say(SIDE.server, server.seal(RECORD.data, response('1'), 1));
  for (const path of ['/b', '/c']) {
    talk.say(SIDE.client, client.update());
    talk.say(SIDE.client, client.seal(RECORD.data, request(path)));
    talk.say(SIDE.server, server.update());
    talk.say(SIDE.server, server.seal(RECORD.data, response(path)));
  }
  expect(talk.end()).toEqual(['GET /a 200', 'GET /b 200', 'GET /c 200']);
});

/** EncryptedExtensions, with the server's word that it takes early data or without. */
const extensions = (accepted: boolean) => {
  const list = accepted ? Buffer.from([0, 42, 0, 0]) : Buffer.alloc(0);
  return Buffer.concat([Buffer.from([8, 0, 0, 2 + list.length, 0, list.length]), list]);
};

function earlyTalk(accepted: boolean) {
  const talk = connection();
  talk.hello();
  talk.say(SIDE.client, new Sealer(SECRETS.CLIENT_EARLY_TRAFFIC_SECRET).seal(RECORD.data, request('/early')));
  talk.serverHello();
  talk.say(
    SIDE.server,
    new Sealer(SECRETS.SERVER_HANDSHAKE_TRAFFIC_SECRET).seal(RECORD.handshake, extensions(accepted)),
  );
  const client = new Sealer(SECRETS.CLIENT_TRAFFIC_SECRET_0);
  const server = new Sealer(SECRETS.SERVER_TRAFFIC_SECRET_0);
  if (!accepted) talk.say(SIDE.client, client.seal(RECORD.data, request('/again')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('x')));
  return talk.end();
}

test('early data counts when the server takes it, and only then', () => {
  expect(earlyTalk(true)).toEqual(['GET /early 200']);
  expect(earlyTalk(false)).toEqual(['GET /again 200']);
});

test('a lost record takes its response with it, and what follows is read again', () => {
  const talk = connection();
  talk.hello();
  talk.serverHello();
  const client = new Sealer(SECRETS.CLIENT_TRAFFIC_SECRET_0);
  const server = new Sealer(SECRETS.SERVER_TRAFFIC_SECRET_0);
  talk.say(SIDE.client, client.seal(RECORD.data, request('/a')));
  talk.lose(SIDE.server, server.seal(RECORD.data, response('lost')));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/b')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('b')));
  expect(talk.end()).toEqual(['GET /a  response not captured', 'GET /b 200']);
});

test('secrets that come later than the bytes decrypt them, at the times they came', () => {
  const keys = new KeyLog();
  keys.growing = true;
  const talk = connection(keys);
  expect(talk.hello()).toBe(true);
  talk.serverHello();
  const client = new Sealer(SECRETS.CLIENT_TRAFFIC_SECRET_0);
  const server = new Sealer(SECRETS.SERVER_TRAFFIC_SECRET_0);
  talk.say(SIDE.client, client.seal(RECORD.data, request('/a')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('a')));
  keys.add(LINES.join(''));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/b')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('b')));
  expect(talk.end()).toEqual(['GET /a 200', 'GET /b 200']);
  expect(keys.heldBytes).toBe(0);
});

test('secrets that never come are waited for within bounds, and that is said', () => {
  const keys = new KeyLog();
  keys.growing = true;
  const talk = connection(keys);
  talk.hello();
  talk.serverHello();
  for (let index = 0; index < 100; index += 1) talk.say(SIDE.server, Buffer.alloc(16_000, 23));
  expect(talk.decryption.over).toBe(true);
  expect(keys.heldBytes).toBe(0);
  expect(talk.end()).toEqual(['TLS not decrypted: its keys did not come in time']);
});

test('an alert that ends the stream is none, any other is told', () => {
  const talk = connection();
  talk.hello();
  talk.serverHello();
  const server = new Sealer(SECRETS.SERVER_TRAFFIC_SECRET_0);
  talk.say(SIDE.server, server.seal(RECORD.alert, Buffer.from([2, 42])));
  talk.say(SIDE.server, server.seal(RECORD.alert, Buffer.from([1, 0])));
  expect(talk.alerts).toEqual([42]);
});

test('bytes that no key verifies are never handed on, whatever they are', () => {
  for (let seed = 0; seed < 200; seed += 1) {
    const talk = connection();
    talk.hello();
    talk.serverHello();
    const record = new Sealer(SECRETS.CLIENT_TRAFFIC_SECRET_0).seal(RECORD.data, request('/a'));
    const at = 5 + (seed % (record.length - 5));
    record[at] = (record[at] as number) ^ (1 + (seed % 255));
    talk.say(SIDE.client, record);
    expect(talk.end()).toEqual([]);
  }
});
