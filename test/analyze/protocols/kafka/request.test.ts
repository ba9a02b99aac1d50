import { test } from 'vitest';
import { requestBegins, requestLength, requestLikeness } from '../../../../src/analyze/protocols/kafka/request.ts';
import { byNumber, byReader, expectLines, judged, madeMessages, WORDS, withNumber } from '../../../support/by-byte.ts';

/** A request (Kafka's protocol guide): its API, its version, its client's name, and what follows. */
function request(key: number, version: number, client: string | undefined, body: Buffer): Buffer {
  const name = Buffer.from(client ?? '');
  const head = Buffer.alloc(14);
  head.writeInt32BE(10 + name.length + body.length);
  head.writeInt16BE(key, 4);
  head.writeInt16BE(version, 6);
  head.writeInt32BE(77, 8);
  head.writeInt16BE(client === undefined ? -1 : name.length, 12);
  return Buffer.concat([head, name, body]);
}
const named = request(3, 9, 'billing', Buffer.alloc(12, 1));
/** DATA of HTTP/2 with a message of gRPC looks like a request: type 0, then its flags and stream. */
const grpc = Buffer.concat([Buffer.from([0, 0, 14, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 9]), Buffer.alloc(9, 0x41)]);

test("lengths of requests, which begin, and which are Kafka's", async () => {
  const messages = [
    ...madeMessages('kafka', 1),
    ['named', named],
    ['without a name', request(18, 3, undefined, Buffer.alloc(3))],
    ['of an empty name', request(18, 3, '', Buffer.alloc(3))],
    ['of a short name', request(1, 2, 'ab', Buffer.alloc(3))],
    ['long without a name', request(1, 2, undefined, Buffer.alloc(300, 1))],
    ['a message of gRPC', grpc],
  ] as const;
  const lines = byReader(messages, {
    length: [requestLength, 14, 14],
    begins: [requestBegins, 18, 18],
    likeness: [requestLikeness, 1, 24],
  });
  const nameless = request(0, 3, undefined, Buffer.alloc(260, 1));
  lines.push(
    byNumber('length', (length) => judged(requestLength, withNumber(named, 0, 4, length))),
    byNumber('length of one that begins', (length) => judged(requestBegins, withNumber(named, 0, 4, length))),
    byNumber('length of one that likely is one', (length) => judged(requestLikeness, withNumber(named, 0, 4, length))),
    byNumber('length of one without a name', (length) => judged(requestLikeness, withNumber(nameless, 0, 4, length))),
    byNumber('length of one that has not come whole', (length) =>
      judged(requestLikeness, withNumber(named, 0, 4, length), 13),
    ),
    byNumber('API', (key) => judged(requestLength, withNumber(request(0, 0, 'a', Buffer.alloc(4)), 4, 2, key)), WORDS),
    ...[0, 1, 3, 18, 100].map((key) =>
      byNumber(
        `version of API ${key}`,
        (version) => judged(requestLength, withNumber(request(key, 0, 'a', Buffer.alloc(4)), 6, 2, version)),
        WORDS,
      ),
    ),
    byNumber(
      'length of a name',
      (length) => judged(requestLength, withNumber(withNumber(named, 0, 4, 70_000), 12, 2, length)),
      WORDS,
    ),
    byNumber(
      'length of a name in a short request',
      (length) => judged(requestLength, withNumber(named, 12, 2, length)),
      WORDS,
    ),
  );
  await expectLines('kafka', lines);
});
