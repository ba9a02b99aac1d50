import { expect, it } from 'vitest';
import { Colours } from '../../src/view/colour.ts';
import { diffLines } from '../../src/view/diff-lines.ts';

const totals = { exchanges: 1200, connections: 30, duration: 60e9 };
const style = { colours: new Colours(false), width: undefined, names: ['before', 'af\x1b[2Jter'] } as const;

it('shows what differs, with both numbers, and of how many', () => {
  const base = { area: 'route', subject: 'web.shop', detail: 'http GET /cart', ofA: 1200, ofB: 900 } as const;
  const lines = diffLines(
    {
      a: totals,
      b: totals,
      differences: [
        { ...base, what: 'failed', unit: 'share', a: 0.001, b: 0.12, worse: true },
        { ...base, what: 'p50', unit: 'ns', a: 4e6, b: 1e6, worse: false },
        { ...base, what: 'status 503', unit: 'share', a: 0, b: 0.12, worse: undefined },
        { ...base, what: 'retransmissions per MB', unit: 'rate', a: 2, b: 0, worse: false },
      ],
      untimed: [],
      appeared: [],
      resolved: [],
    },
    style,
  );
  expect(lines).toEqual([
    'A before: 1,200 exchanges and 30 TCP connections in 1 min 0 s',
    'B af\\x1b[2Jter: 1,200 exchanges and 30 TCP connections in 1 min 0 s',
    '',
    'Differences beyond noise',
    '        SUBJECT   ROUTE           WHAT                         A       B  CHANGE              OF',
    'worse   web.shop  http GET /cart  failed                   0.1 %    12 %    120x      1,200, 900',
    'better  web.shop  http GET /cart  p50                     4.0 ms  1.0 ms   0.25x      1,200, 900',
    '        web.shop  http GET /cart  status 503                 0 %    12 %     new      1,200, 900',
    'better  web.shop  http GET /cart  retransmissions per MB       2       0    gone  1.20 kB, 900 B',
  ]);
});

it('says when nothing differs', () => {
  const lines = diffLines({ a: totals, b: totals, differences: [], untimed: [], appeared: [], resolved: [] }, style);
  expect(lines.at(-1)).toBe('No difference beyond noise.');
});

it('says which latencies were not compared, also where nothing differs', () => {
  const untimed = [
    { area: 'route', subject: 'web.shop', detail: 'http GET /', timedA: 1052, ofA: 1059, timedB: 0, ofB: 58 },
  ] as const;
  const lines = diffLines({ a: totals, b: totals, differences: [], untimed, appeared: [], resolved: [] }, style);
  expect(lines.slice(2)).toEqual([
    'No difference beyond noise.',
    '',
    'Latencies not compared, because one capture has too few',
    'SUBJECT   ROUTE              TIMED A  TIMED B',
    'web.shop  http GET /  1,052 of 1,059  0 of 58',
  ]);
});
