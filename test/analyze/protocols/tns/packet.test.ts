import { test } from 'vitest';
import { tnsBegins, tnsLength, tnsLikeness } from '../../../../src/analyze/protocols/tns/packet.ts';
import { byByte, byNumber, expectLines, judged, WORDS, withNumber } from '../../../support/by-byte.ts';

function packet(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16BE(8 + body.length);
  head[4] = type;
  return Buffer.concat([head, body]);
}
const words = (...values: number[]) => Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 255)));
const description = '(DESCRIPTION=(ERR=12514)(ERROR_STACK=(ERROR=(CODE=12514))))';

const PACKETS = {
  connect: packet(
    1,
    Buffer.concat([words(318, 300, 0, 8192, 32767, 32590, 0, 1, 33, 70), Buffer.alloc(14), Buffer.from('(D)')]),
  ),
  'connect whose description follows': packet(
    1,
    Buffer.concat([words(318, 318, 0, 0, 0, 0, 0, 1, 400, 70), Buffer.alloc(42)]),
  ),
  accept: packet(2, Buffer.concat([words(318), Buffer.alloc(22)])),
  refuse: packet(4, Buffer.concat([Buffer.of(0x22, 0), words(description.length), Buffer.from(description)])),
  data: packet(6, Buffer.concat([words(0), Buffer.from('SELECT 1 FROM dual, and more')])),
} as const;

test('lengths of packets, and which of them begin a connection', async () => {
  const lines: string[] = [];
  const { connect, accept, refuse, data } = PACKETS;
  for (const [name, message] of Object.entries(PACKETS)) {
    lines.push(
      ...byByte(`length, ${name}`, message, tnsLength, 8, 5),
      ...byByte(`begins, ${name}`, message, tnsBegins, 28),
    );
    lines.push(...byByte(`likeness, ${name}`, message, tnsLikeness));
  }
  lines.push(
    byNumber('four bytes of length', (length) => judged(tnsLength, withNumber(data, 0, 4, length)), [
      ...WORDS,
      ...[0, 64, 65].map((more) => 2 ** 21 + more),
    ]),
    byNumber('version', (version) => judged(tnsBegins, withNumber(accept, 8, 2, version)), WORDS),
    byNumber('version and oldest one', (version) => judged(tnsBegins, withNumber(connect, 10, 2, version)), WORDS),
    byNumber('offset of the description', (offset) => judged(tnsBegins, withNumber(connect, 26, 2, offset)), WORDS),
    byNumber('length of CONNECT', (length) => judged(tnsLikeness, withNumber(connect, 0, 2, length)), WORDS),
    byNumber('length of ACCEPT', (length) => judged(tnsLikeness, withNumber(accept, 0, 2, length)), WORDS),
    byNumber('length of REFUSE', (length) => judged(tnsLikeness, withNumber(refuse, 0, 2, length)), WORDS),
  );
  await expectLines('tns', lines);
});
