import { expect, test } from 'vitest';
import { http1 } from '../../../../../src/analyze/protocols/http1/index.ts';
import { Decryption } from '../../../../../src/analyze/protocols/tls/decrypt/decryption.ts';
import { KeyLog } from '../../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import type { ServerHello } from '../../../../../src/analyze/protocols/tls/server-hello.ts';
import { type AnalysisEvent, SIDE, type Side } from '../../../../../src/analyze/record/event.ts';
import { STEADY } from '../../play.ts';
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
    ...STEADY,
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
    hello: (earlyOffered = false) => decryption.onClientHello(RANDOM, earlyOffered),
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

const sealers = () => ({
  early: new Sealer(SECRETS.CLIENT_EARLY_TRAFFIC_SECRET),
  clientHandshake: new Sealer(SECRETS.CLIENT_HANDSHAKE_TRAFFIC_SECRET),
  serverHandshake: new Sealer(SECRETS.SERVER_HANDSHAKE_TRAFFIC_SECRET),
  client: new Sealer(SECRETS.CLIENT_TRAFFIC_SECRET_0),
  server: new Sealer(SECRETS.SERVER_TRAFFIC_SECRET_0),
});

test('early data that comes when the server has already taken it counts too', () => {
  const talk = connection();
  const { early, serverHandshake, client, server } = sealers();
  talk.hello(true);
  talk.say(SIDE.client, early.seal(RECORD.data, request('/early')));
  talk.serverHello();
  talk.say(SIDE.server, serverHandshake.seal(RECORD.handshake, extensions(true)));
  talk.say(SIDE.client, early.seal(RECORD.data, request('/later')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('1')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('2')));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/data')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('3')));
  expect(talk.end()).toEqual(['GET /early 200', 'GET /later 200', 'GET /data 200']);
});

test('early data of which it is not known whether the server took it gives its response to no other request', () => {
  const talk = connection();
  const { early, serverHandshake, clientHandshake, client, server } = sealers();
  talk.hello(true);
  talk.say(SIDE.client, early.seal(RECORD.data, request('/early')));
  talk.serverHello();
  talk.lose(SIDE.server, serverHandshake.seal(RECORD.handshake, extensions(true)));
  talk.say(SIDE.client, clientHandshake.seal(RECORD.handshake, Buffer.from([20, 0, 0, 1, 9])));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/data')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('1')));
  expect(talk.end()).not.toContain('GET /data 200');
});

test('early data without content is held within bounds', () => {
  const keys = keysOf(LINES);
  const talk = connection(keys);
  const { early } = sealers();
  talk.hello(true);
  for (let index = 0; index < 2000; index += 1) {
    talk.say(SIDE.client, early.seal(RECORD.data, Buffer.alloc(0)));
    expect(keys.heldBytes).toBeLessThanOrEqual(64 * 1024);
    if (index === 0) expect(keys.heldBytes).toBeGreaterThan(0);
  }
  talk.end();
  expect(keys.heldBytes).toBe(0);
});

test('the response to a lost first request is no response to the second', () => {
  const talk = connection();
  const { clientHandshake, client, server } = sealers();
  talk.hello();
  talk.serverHello();
  talk.say(SIDE.client, clientHandshake.seal(RECORD.handshake, Buffer.from([20, 0, 0, 1, 9])));
  talk.lose(SIDE.client, client.seal(RECORD.data, request('/lost')));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/b')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('lost')));
  expect(talk.end()).not.toContain('GET /b 200');
});

test('a lost Finished is no lost request', () => {
  const talk = connection();
  const { clientHandshake, client, server } = sealers();
  talk.hello();
  talk.serverHello();
  talk.lose(SIDE.client, clientHandshake.seal(RECORD.handshake, Buffer.from([20, 0, 0, 1, 9])));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/a')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('a')));
  expect(talk.end()).toEqual(['GET /a 200']);
});

test('what follows is read where a part of the first record under a key is missing', () => {
  const talk = connection();
  const { serverHandshake, client, server } = sealers();
  talk.hello();
  talk.serverHello();
  talk.say(SIDE.server, serverHandshake.seal(RECORD.handshake, extensions(false)));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/a')));
  const holed = server.seal(RECORD.data, response('a'.repeat(100)));
  talk.say(SIDE.server, holed.subarray(0, 20));
  talk.lose(SIDE.server, holed.subarray(20, 60));
  talk.say(SIDE.server, holed.subarray(60));
  talk.say(SIDE.client, client.seal(RECORD.data, request('/b')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('b')));
  expect(talk.end()).toContain('GET /b 200');
});

test('where the secrets of the handshake come first, those of the data are waited for', () => {
  const keys = new KeyLog();
  keys.growing = true;
  keys.add(LINES.filter((line) => !line.includes('TRAFFIC_SECRET_0')).join(''));
  const talk = connection(keys);
  const { client, server } = sealers();
  talk.hello();
  talk.serverHello();
  talk.say(SIDE.client, client.seal(RECORD.data, request('/a')));
  keys.add(LINES.join(''));
  talk.say(SIDE.server, server.seal(RECORD.data, response('a')));
  expect(talk.end()).toEqual(['GET /a 200']);
  expect(keys.heldBytes).toBe(0);
});

test('secrets that come with the end of a connection decrypt what was held', () => {
  const keys = new KeyLog();
  keys.growing = true;
  const talk = connection(keys);
  const { client, server } = sealers();
  talk.hello();
  talk.serverHello();
  talk.say(SIDE.client, client.seal(RECORD.data, request('/a')));
  talk.say(SIDE.server, server.seal(RECORD.data, response('a')));
  keys.add(LINES.join(''));
  expect(talk.end()).toEqual(['GET /a 200']);
  expect(keys.heldBytes).toBe(0);
});

test('records under way hold what came of them, and all connections together no more than the bound', () => {
  const keys = keysOf(LINES);
  const talks = Array.from({ length: 2500 }, () => {
    const talk = connection(keys);
    talk.hello();
    talk.serverHello();
    return talk;
  });
  for (const talk of talks) talk.say(SIDE.client, Buffer.from([23, 3, 3, 0x40, 0, 1]));
  expect(keys.heldBytes).toBeGreaterThan(0);
  expect(keys.heldBytes).toBeLessThanOrEqual(2500 * 2048);
  for (const talk of talks) talk.say(SIDE.client, Buffer.alloc(16_000));
  expect(keys.heldBytes).toBeLessThanOrEqual(32 * 1024 * 1024);
  for (const talk of talks) talk.end();
  expect(keys.heldBytes).toBe(0);
});

test('a record behind a hole is found in pieces of any size, also where many places look like one', () => {
  for (const size of [1, 2, 7, 100, 1448]) {
    const keys = keysOf(LINES);
    const talk = connection(keys);
    const { client, server } = sealers();
    talk.hello();
    talk.serverHello();
    const pieces = (side: Side, bytes: Buffer) => {
      for (let at = 0; at < bytes.length; at += size) talk.say(side, bytes.subarray(at, at + size));
    };
    pieces(SIDE.client, client.seal(RECORD.data, request('/a')));
    talk.lose(SIDE.server, server.seal(RECORD.data, response('a')));
    pieces(SIDE.server, Buffer.concat([Buffer.alloc(40_000, 1), Buffer.from([23, 3, 3, 23, 3, 3, 0, 9])]));
    pieces(SIDE.server, server.seal(RECORD.data, Buffer.alloc(16_000, 120)));
    pieces(SIDE.client, client.seal(RECORD.data, request('/b')));
    pieces(SIDE.server, server.seal(RECORD.data, response('b')));
    expect(talk.end()).toEqual(['GET /a  response not captured', 'GET /b 200']);
    expect(keys.heldBytes).toBe(0);
  }
});

test('secrets of any length in the key log are tried, and nothing throws', () => {
  for (const cipher of [0x1301, 0x1302, 0x1303, 0x1304, 0x1305, 0xc02b, 0xc009, 0xc0ac, 0xcca9, 0x0005, 0xffff]) {
    for (const version of [0x0304, 0x0303]) {
      for (const length of [1, 32, 48, 64]) {
        const keys = new KeyLog();
        for (const label of ['CLIENT_RANDOM', ...Object.keys(SECRETS)]) {
          keys.add(`${label} ${RANDOM.toString('hex')} ${'ab'.repeat(length)}\n`);
        }
        const talk = connection(keys);
        talk.hello();
        talk.decryption.onServerHello({ ...HELLO, version, cipher, encryptThenMac: length !== 48 }, RANDOM);
        for (const side of [SIDE.client, SIDE.server]) {
          talk.say(side, Buffer.from([20, 3, 3, 0, 1, 1]));
          for (const size of [0, 1, 16, 32, 64, 96]) {
            const record = Buffer.concat([Buffer.from([23, 3, 3, 0, size]), Buffer.alloc(size, size)]);
            talk.say(side, record);
            talk.lose(side, Buffer.alloc(100));
            talk.say(side, record);
          }
        }
        expect(talk.end().filter((label) => !label.startsWith('TLS not'))).toEqual([]);
        expect(keys.heldBytes).toBe(0);
      }
    }
  }
});
