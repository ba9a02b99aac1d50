import { expect, test } from 'vitest';
import { type Dialect, MySqlAnswer } from '../../../../src/analyze/protocols/mysql/answer.ts';
import { error, ok, packet, prepared, result } from './packets.ts';

/** Payloads of the packets that lie one behind the other. */
function payloads(bytes: Buffer): Buffer[] {
  const found: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUIntLE(at, 3);
    found.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return found;
}

interface Followed {
  /** Which packet ended the answer, from 1; 0 for none. */
  readonly ended: number;
  readonly rows: number;
  readonly statement: number;
  readonly error: number | undefined;
}

/** Follows packets, where other bytes stand around each; what comes behind the end is not shown to it. */
function follow(command: string, dialect: Dialect, bytes: Buffer): Followed {
  const answer = new MySqlAnswer(command, dialect);
  let ended = 0;
  for (const [index, body] of payloads(bytes).entries()) {
    const around = Buffer.concat([Buffer.of(0xff, 0xfe), body, Buffer.of(0xfe, 0xff)]);
    if (!answer.packet(around, 2, 2 + body.length, body.length)) continue;
    ended = index + 1;
    break;
  }
  return { ended, rows: answer.rows, statement: answer.statement, error: answer.error?.code };
}
const dialect = (deprecateEof?: boolean, optionalMetadata = false): Dialect => ({ deprecateEof, optionalMetadata });
const eof = (status = 2) => packet(9, Buffer.from([0xfe, 0, 0, status, 0]));
const none = { statement: -1, error: undefined };

test.each([1, 2, 3])(
  'a result of %i columns and any number of rows ends behind them, with EOFs and without',
  (columns) => {
    const names = Array.from({ length: columns }, (_, index) => `c${index}`);
    for (const deprecated of [false, true])
      for (const rows of [0, 1, 5])
        for (const known of [undefined, deprecated]) {
          const bytes = result(names, rows, deprecated);
          const shared = dialect(known);
          const expected = { ...none, ended: payloads(bytes).length, rows };
          expect(follow('QUERY', shared, Buffer.concat([bytes, ok(1)]))).toEqual(expected);
          // What was learned serves the next answer. Without rows the OK at the end shows it by its length.
          if (known !== undefined || rows > 0 || !deprecated) expect(shared.deprecateEof).toBe(deprecated);
        }
  },
);

test('an OK ends an answer with the rows changed, unless another result follows', () => {
  const more = packet(1, Buffer.from([0, 4, 0, 8, 0, 0, 0]));
  expect(follow('QUERY', dialect(), Buffer.concat([ok(1, 3), ok(1, 9)]))).toEqual({ ...none, ended: 1, rows: 3 });
  expect(follow('QUERY', dialect(), Buffer.concat([more, ok(2, 3)]))).toEqual({ ...none, ended: 2, rows: 7 });
  const results = result(['a'], 2, false);
  const count = payloads(results).length;
  expect(follow('QUERY', dialect(), Buffer.concat([more, results]))).toEqual({ ...none, ended: count + 1, rows: 6 });
  // The EOF behind rows may say as well that another result follows.
  const again = Buffer.concat([results.subarray(0, -9), eof(10), results]);
  expect(follow('QUERY', dialect(), again)).toEqual({ ...none, ended: 2 * count, rows: 4 });
});

test('an error ends an answer at any place; a report of progress does not', () => {
  const bytes = result(['a', 'b'], 3, false);
  const parts = payloads(bytes).map((body) => packet(1, body));
  const progress = packet(1, Buffer.from([0xff, 0xff, 0xff, 1, 1, 2, 0, 0, 0]));
  for (let at = 0; at < parts.length; at += 1) {
    const before = Buffer.concat(parts.slice(0, at));
    const rows = Math.min(3, Math.max(0, at - 4));
    const failed = Buffer.concat([before, error(9, 1205, 'timeout'), ok(1)]);
    expect(follow('QUERY', dialect(), failed)).toEqual({ ...none, error: 1205, ended: at + 1, rows });
    const reported = Buffer.concat([before, progress, ...parts.slice(at)]);
    expect(follow('QUERY', dialect(), reported)).toEqual({ ...none, ended: parts.length + 1, rows: 3 });
  }
});

test('a prepared statement ends behind its parameters and columns, with EOFs and without', () => {
  for (const [columns, parameters] of [
    [0, 0],
    [1, 0],
    [0, 2],
    [3, 2],
  ] as const)
    for (const deprecated of [false, true]) {
      const bytes = prepared(5, columns, parameters, deprecated);
      const expected = { ...none, statement: 5, ended: payloads(bytes).length, rows: 0 };
      expect(follow('STMT_PREPARE', dialect(deprecated), Buffer.concat([bytes, ok(1)]))).toEqual(expected);
    }
  const large = Buffer.from(payloads(prepared(5, 0, 0, true))[0] ?? []);
  large.writeUInt32LE(0x8001_0203, 1);
  expect(follow('STMT_PREPARE', dialect(), packet(1, large)).statement).toBe(0x8001_0203);
  expect(follow('STMT_PREPARE', dialect(), packet(1, large.subarray(0, 8)))).toMatchObject({ ended: 1, statement: -1 });
});

test('columns that are not sent again: as MySQL and as MariaDB state it', () => {
  const row = packet(1, Buffer.from('\x01a'));
  const rows = Buffer.concat([eof(), row, row, eof()]);
  const count = (...bytes: number[]) => packet(1, Buffer.from(bytes));
  const whole = { ...none, ended: 5, rows: 2 };
  expect(follow('STMT_EXECUTE', dialect(false, true), Buffer.concat([count(0, 3), rows]))).toEqual(whole);
  expect(follow('STMT_EXECUTE', dialect(false), Buffer.concat([count(3, 0), rows]))).toEqual(whole);
  const columns = payloads(result(['a'], 2, false))
    .slice(1)
    .map((body) => packet(1, body));
  expect(follow('STMT_EXECUTE', dialect(false, true), Buffer.concat([count(1, 1), ...columns]))).toEqual({
    ...none,
    ended: 6,
    rows: 2,
  });
  expect(follow('STMT_EXECUTE', dialect(false), Buffer.concat([count(1, 1), ...columns]))).toEqual({
    ...none,
    ended: 6,
    rows: 2,
  });
});

test('rows that wait at the server end an answer behind the columns, and come when they are fetched', () => {
  const [count, column] = payloads(result(['a'], 0, false)).map((body) => packet(1, body));
  const opened = Buffer.concat([count ?? Buffer.alloc(0), column ?? Buffer.alloc(0), eof(0x42)]);
  expect(follow('STMT_EXECUTE', dialect(), opened)).toEqual({ ...none, ended: 3, rows: 0 });
  const row = packet(1, Buffer.from('\x01a'));
  for (const command of ['STMT_FETCH', 'FIELD_LIST'])
    expect(follow(command, dialect(), Buffer.concat([row, row, row, eof()]))).toEqual({ ...none, ended: 4, rows: 3 });
});

test.each([
  ['CONNECT', packet(2, Buffer.from([0xfe, 0x61, 0])), 0],
  ['CONNECT', Buffer.concat([packet(2, Buffer.from([0xfe, 0x61, 0])), ok(4)]), 2],
  ['CHANGE_USER', Buffer.concat([packet(2, Buffer.from([1, 3])), ok(4)]), 2],
  ['STATISTICS', packet(1, Buffer.from('Uptime: 7')), 1],
  ['QUERY', Buffer.concat([packet(1, Buffer.from('\xfbfile', 'latin1')), ok(3)]), 2],
  ['QUERY', packet(1, Buffer.alloc(0)), 1],
  // More columns than there can be, none, and a count that is cut.
  ['QUERY', packet(1, Buffer.from([0xfd, 1, 0, 1])), 1],
  ['QUERY', packet(1, Buffer.from([0xfd, 0, 0, 1])), 0],
  ['QUERY', packet(1, Buffer.from([0xfc, 1])), 1],
] as const)('%s, answered with %o', (command, bytes, ended) => {
  expect(follow(command, dialect(), bytes).ended).toBe(ended);
});
