import { test } from 'vitest';
import {
  fastcgiLikeness,
  recordLength,
  requestBegins,
  requestEnds,
} from '../../../../src/analyze/protocols/fastcgi/record.ts';
import { byByte, byNumber, expectLines, judged, withNumber } from '../../../support/by-byte.ts';

/** A record (FastCGI specification 1.0, section 3.3). */
function record(type: number, content: Buffer, padding = 0): Buffer {
  const head = Buffer.of(1, type, 0, 1, content.length >> 8, content.length & 255, padding, 0);
  return Buffer.concat([head, content, Buffer.alloc(padding)]);
}
const RECORDS = {
  begin: record(1, Buffer.of(0, 1, 1, 0, 0, 0, 0, 0)),
  end: record(3, Buffer.from([0, 0, 0, 0, 0, 0, 0, 0])),
  failed: record(3, Buffer.from([0, 0, 0, 1, 0, 0, 0, 0])),
  params: record(4, Buffer.from('\x0e\x03REQUEST_METHODGET'), 3),
  stdout: record(6, Buffer.from('Status: 200 OK\r\n\r\n'), 6),
  'short stdout': record(6, Buffer.from('X-A: bcd')),
  'name alone': record(6, Buffer.from('X-Frame-Options')),
} as const;

const LETTERS = Array.from({ length: 80 }, (_, count) => count);

test('lengths of records, where requests begin and end, and whose bytes they are', async () => {
  const lines: string[] = [];
  for (const [name, bytes] of Object.entries(RECORDS)) {
    lines.push(...byByte(`length, ${name}`, bytes, recordLength, 8, 8));
    lines.push(
      ...byByte(`begins, ${name}`, bytes, requestBegins, 16),
      ...byByte(`ends, ${name}`, bytes, requestEnds, 16),
    );
    lines.push(...byByte(`likeness, ${name}`, bytes, fastcgiLikeness));
  }
  const { begin, stdout } = RECORDS;
  lines.push(
    byNumber('content of a record', (length) => judged(recordLength, withNumber(stdout, 4, 2, length))),
    byNumber('content of stdout', (length) => judged(fastcgiLikeness, withNumber(stdout, 4, 2, length))),
    byNumber('role', (role) => judged(requestBegins, withNumber(begin, 8, 2, role))),
    byNumber('request', (id) => judged(fastcgiLikeness, withNumber(begin, 2, 2, id))),
    byNumber(
      'letters of a name',
      (count) => judged(fastcgiLikeness, record(6, Buffer.from(`${'N'.repeat(count)}: v`))),
      LETTERS,
    ),
    byNumber(
      'letters of a name that has not ended',
      (count) => judged(fastcgiLikeness, record(6, Buffer.from('N'.repeat(count)))),
      LETTERS,
    ),
  );
  await expectLines('fastcgi', lines);
});
