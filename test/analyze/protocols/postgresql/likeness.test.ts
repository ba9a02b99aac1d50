import { test } from 'vitest';
import { clientBegins, serverBegins } from '../../../../src/analyze/protocols/postgresql/beginnings.ts';
import { postgresqlLikeness } from '../../../../src/analyze/protocols/postgresql/likeness.ts';
import { byByte, byNumber, expectLines, judged, withNumber } from '../../../support/by-byte.ts';

/** A message (PostgreSQL, "Message Formats"): its type, none for those that begin a connection, and its contents. */
function message(type: string, ...parts: (Buffer | string)[]): Buffer {
  const body = Buffer.concat(parts.map((part) => Buffer.from(part as string)));
  const head = Buffer.alloc(type.length + 4);
  head.write(type);
  head.writeUInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
}
const long = (value: number) => withNumber(Buffer.alloc(4), 0, 4, value);

const sync = message('S');
const ready = message('Z', 'I');
const startup = message('', long(3 << 16), 'user\0shop\0\0');
const query = message('Q', 'select id from orders where id = 7\0');
const parse = message('P', 's1\0', 'insert into t values ($1)\0', Buffer.alloc(2));
const bind = message('B', '\0s1\0', Buffer.alloc(6));
const error = message('E', 'SERROR\0VERROR\0C42P01\0Mno such table\0\0');

const CLIENT = {
  startup,
  ssl: message('', long(80877103)),
  gss: message('', long(80877104)),
  cancel: message('', long(80877102), Buffer.alloc(8, 7)),
  query,
  'short query': message('Q', 'end\0'),
  'query that goes on': withNumber(query, 1, 4, 70_000),
  'parse, sync': Buffer.concat([parse, sync]),
  'parse that goes on': withNumber(parse, 1, 4, 70_000),
  'bind, sync': Buffer.concat([bind, sync]),
  'copy ends': Buffer.concat([message('c'), sync]),
  'text that is no statement': message('Q', 'hello, my friends there\0'),
} as const;
const SERVER = {
  ready,
  'command, ready': Buffer.concat([message('C', 'INSERT 0 5\0'), ready]),
  'error, ready': Buffer.concat([error, ready]),
  'old error': message('E', 'SFATAL\0C57P03\0Mstarting up\0\0'),
  row: message('D', Buffer.of(0, 1), long(1), 'x'),
} as const;

test('where messages of a side begin behind what was lost, and what connections and segments begin with', async () => {
  const lines: string[] = [];
  for (const expected of [false, true]) {
    const place = expected ? 'expected' : 'anywhere';
    const changed = expected ? 6 : undefined;
    for (const [name, bytes] of Object.entries({ ...CLIENT, ready }))
      lines.push(...byByte(`client, ${name}, ${place}`, bytes, (...at) => clientBegins(...at, expected), 1, changed));
    for (const [name, bytes] of Object.entries({ ...SERVER, query }))
      lines.push(...byByte(`server, ${name}, ${place}`, bytes, (...at) => serverBegins(...at, expected), 1, changed));
  }
  for (const [name, bytes] of Object.entries({ ...CLIENT, ...SERVER }))
    lines.push(...byByte(`likeness, ${name}`, bytes, postgresqlLikeness, 1, 48));
  const begins = (bytes: Buffer) => judged((...at) => clientBegins(...at, false), bytes);
  lines.push(
    byNumber('length of what begins a connection', (length) =>
      judged(postgresqlLikeness, withNumber(startup, 0, 4, length)),
    ),
    byNumber('length of a query', (length) => judged(postgresqlLikeness, withNumber(query, 1, 4, length))),
    byNumber('length of a query that begins', (length) => begins(withNumber(query, 1, 4, length))),
    byNumber('length of a statement that begins', (length) => begins(withNumber(CLIENT['parse, sync'], 1, 4, length))),
    byNumber('length of an expected message', (length) =>
      judged((...at) => clientBegins(...at, true), withNumber(sync, 1, 4, length)),
    ),
    byNumber(
      'letters of a statement name',
      (count) => begins(message('P', `${'s'.repeat(count)}\0`, 'select 1 from t where a = 1\0')),
      COUNTS,
    ),
    byNumber('letters of one that has not ended', (count) => begins(message('P', 's'.repeat(count))), COUNTS),
    byNumber(
      'letters of a command',
      (count) =>
        judged((...at) => serverBegins(...at, false), Buffer.concat([message('C', `${'S'.repeat(count)}\0`), ready])),
      COUNTS,
    ),
    byNumber('blanks before a statement', (count) => begins(message('Q', `${' '.repeat(count)}select 1\0`)), COUNTS),
    byNumber(
      'text of which a zero byte stands behind',
      (count) => judged(postgresqlLikeness, message('', long(3 << 16), `${'u'.repeat(count)}\x01`)),
      COUNTS,
    ),
  );
  await expectLines('postgresql', lines);
});

const COUNTS = Array.from({ length: 80 }, (_, count) => count);
