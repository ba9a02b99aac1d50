import { expect, test } from 'vitest';
import { readClientHello } from '../../../../src/analyze/protocols/tls/client-hello.ts';
import { readServerHello } from '../../../../src/analyze/protocols/tls/server-hello.ts';
import { isSsl2Hello, readSsl2Hello, ssl2Length } from '../../../../src/analyze/protocols/tls/ssl2-hello.ts';
import { byNumber, byReader, expectLines, judged, WORDS, withNumber } from '../../../support/by-byte.ts';
import { EXTENSION, madeClientHello, madeServerHello, madeSsl2Hello } from './made-hello.ts';

/** Bytes of the record's header and of the handshake's. */
const BEFORE = 9;
const body = (record: Uint8Array) => Buffer.from(record.subarray(BEFORE));
const session = (hello: Buffer, length: number) =>
  Buffer.concat([hello.subarray(0, 34), Buffer.of(length), Buffer.alloc(length, 5), hello.subarray(35)]);

const USUAL = [
  EXTENSION.serverName('web.shop'),
  EXTENSION.alpn(['h2', 'http/1.1']),
  EXTENSION.versions([0x3a3a, 0x0304, 0x0303]),
  EXTENSION.signatures([0x0403, 0x0804]),
] as const;

test('what hellos hold, cut anywhere and with any byte changed', async () => {
  const client = body(madeClientHello([0x1301, 0xc02f], USUAL));
  const clients = [
    ['usual', client],
    ['with a session', session(client, 32)],
    ['without extensions', body(madeClientHello([0xc02f], [])).subarray(0, -2)],
    [
      'early data, encrypted hello',
      body(
        madeClientHello(
          [0x1301],
          [
            [42, []],
            [0xfe0d, [0]],
            [0xaaaa, [1, 2]],
          ],
        ),
      ),
    ],
    ['of a name that is no host', body(madeClientHello([0x1301], [[0, [0, 5, 1, 0, 2, 97, 98]]]))],
  ] as const;
  const server = body(
    madeServerHello(0x1301, [
      [43, [3, 4]],
      [41, [0, 0]],
    ]),
  );
  const servers = [
    ['TLS 1.3', server],
    ['TLS 1.2', body(madeServerHello(0xc02f, [EXTENSION.alpn(['h2']), [22, []]]))],
    ['TLS 1.2 with a session', session(body(madeServerHello(0xc02f, [EXTENSION.alpn(['h2'])])), 32)],
    ['without extensions', body(madeServerHello(0xc02f, [])).subarray(0, -2)],
    ['retry', Buffer.concat([server.subarray(0, 2), RETRY, server.subarray(34)])],
    ['draft of TLS 1.3', Buffer.concat([Buffer.of(0x7f, 18), server.subarray(2, 34), Buffer.of(0x13, 1, 0, 0)])],
  ] as const;
  const ssl2 = Buffer.from(madeSsl2Hello(0x0301, [0x00002f, 0x010080, 0x000005]));
  const lines = [
    ...byReader(clients, { hello: [readClientHello, 1, 110] }),
    ...byReader(servers, { hello: [readServerHello, 1, 60] }),
    ...byReader([['SSL 2.0', ssl2]], {
      length: [ssl2Length, 3, 4],
      'is one': [isSsl2Hello, 1, 12],
      hello: [readSsl2Hello, 1, 24],
    }),
    byNumber(
      'length of a session',
      (length) => judged(readClientHello, withNumber(session(client, 40), 34, 1, length)) !== 'undefined',
      BYTES,
    ),
    byNumber('length of SSL 2.0', (length) => judged(ssl2Length, withNumber(ssl2, 0, 2, length)), WORDS),
  ];
  await expectLines('tls-hellos', lines);
});

const BYTES = Array.from({ length: 256 }, (_, value) => value);
/** RFC 8446, section 4.1.3. */
const RETRY = Buffer.from('cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c', 'hex');

test('of names and protocols in a hello as many are kept as are believed', () => {
  const offered = Array.from({ length: 40 }, (_, index) => `p${index}`);
  const hello = body(madeClientHello([0x1301], [EXTENSION.alpn(offered), EXTENSION.serverName('n'.repeat(300))]));
  const read = readClientHello(hello, 0, hello.length);
  expect(read?.alpn).toEqual(offered.slice(0, 32));
  expect(read?.sni).toMatch(/^n+$/);
  expect('n'.repeat(300)).toContain(read?.sni);
});
