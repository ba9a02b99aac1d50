import { test } from 'vitest';
import { answerBegins, commandBegins, mysqlLikeness } from '../../../../src/analyze/protocols/mysql/beginnings.ts';
import { byByte, byNumber, expectLines, judged } from '../../../support/by-byte.ts';
import { command, error, greeting, ok, packet, result } from './packets.ts';

/** An execution of statement 7, once, with these flags (COM_STMT_EXECUTE). */
const execute = packet(0, Buffer.from([0x17, 7, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 0]));
const query = command(3, 'SELECT id FROM orders WHERE id = 7');
const long = (length: number) => {
  const bytes = Buffer.from(query);
  bytes.writeUIntLE(length, 0, 3);
  return bytes;
};
const COMMANDS = {
  query,
  'long query': long(70_000),
  'short query': command(3, 'do 1'),
  prepare: command(22, 'update t set a = ?'),
  execute,
  ping: command(14),
  close: command(25, Buffer.of(7, 0, 0, 0)),
  fetch: command(28, Buffer.alloc(8, 1)),
  database: command(2, 'shop'),
} as const;
const ANSWERS = {
  ok: ok(1, 3),
  error: error(1, 1064, 'near FROM'),
  columns: result(['id'], 1, false),
  eof: packet(1, Buffer.from([0xfe, 0, 0, 2, 0])),
  row: packet(1, Buffer.from('\x0ahello worldly')),
} as const;

test('where a command or an answer begins behind what was lost, and what connections begin with', async () => {
  const lines: string[] = [];
  for (const expected of [false, true]) {
    const place = expected ? 'expected' : 'anywhere';
    for (const [name, message] of Object.entries(COMMANDS))
      lines.push(...byByte(`command, ${name}, ${place}`, message, (...at) => commandBegins(...at, expected)));
    for (const [name, message] of Object.entries(ANSWERS))
      lines.push(...byByte(`answer, ${name}, ${place}`, message, (...at) => answerBegins(...at, expected)));
  }
  const refusal = packet(0, Buffer.concat([Buffer.of(0xff, 0x10, 4), Buffer.from('Too many connections')]));
  for (const [name, message] of Object.entries({ ...COMMANDS, greeting: greeting(), refusal }))
    lines.push(...byByte(`likeness, ${name}`, message, mysqlLikeness));
  const withLength = (message: Buffer, length: number) => {
    const bytes = Buffer.from(message);
    bytes.writeUIntLE(length & 0xff_ffff, 0, 3);
    return bytes;
  };
  lines.push(
    byNumber('length of a greeting', (length) => judged(mysqlLikeness, withLength(greeting(), length))),
    byNumber('length of a refusal', (length) => judged(mysqlLikeness, withLength(refusal, length))),
    byNumber(
      'code of a refusal',
      (code) => {
        const bytes = Buffer.from(refusal);
        bytes.writeUInt16LE(code & 0xffff, 5);
        return judged(mysqlLikeness, bytes);
      },
      Array.from({ length: 6000 }, (_, code) => code),
    ),
    byNumber('times that a statement is executed', (times) => {
      const bytes = Buffer.from(execute);
      bytes.writeUInt32LE(times, 10);
      return judged(mysqlLikeness, bytes);
    }),
  );
  await expectLines('mysql', lines);
});
