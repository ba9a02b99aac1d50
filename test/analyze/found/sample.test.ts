import { expect, test } from 'vitest';
import { StreamSample, sampleOf } from '../../../src/analyze/found/sample.ts';
import { NO_TOTALS } from '../../../src/analyze/found/totals.ts';
import { sampleRecord } from '../../../src/analyze/record/sample-record.ts';
import { sampleNote, sampleText } from '../../../src/view/sample-text.ts';

const totals = (packets: number, skipped: number) => ({ ...NO_TOTALS, packets, skipped });

/** Begins to leave out connections at 10 with 100 packets analysed. */
function begun(node: string): StreamSample {
  const sample = new StreamSample(node, 10, totals(100, 0));
  sample.change(1, 10);
  return sample;
}

test('a share is of the packets that came while connections were left out', () => {
  const sample = begun('node-1');
  sample.totals = totals(150, 150);
  expect(sampleOf([sample])).toEqual({ share: 0.25, since: 10, until: undefined, nodes: ['node-1'] });
  sample.change(2, 20);
  sample.totals = totals(200, 200);
  expect(sampleOf([sample])?.share).toBeCloseTo(1 / 3);
  sample.change(0, 30);
  sample.totals = totals(9_000, 200);
  expect(sampleOf([sample])).toEqual({ share: 100 / 300, since: 10, until: 30, nodes: ['node-1'] });
  sample.change(1, 40);
  sample.totals = totals(9_100, 300);
  expect(sampleOf([sample])).toEqual({ share: 200 / 500, since: 10, until: undefined, nodes: ['node-1'] });
});

test('of several nodes the sample ends when the last has caught up', () => {
  const [one, other] = [begun('node-2'), begun('node-1')];
  one.change(0, 50);
  expect(sampleOf([one, other])?.until).toBeUndefined();
  other.change(0, 40);
  expect(sampleOf([one, other])).toEqual({ share: 1, since: 10, until: 50, nodes: ['node-1', 'node-2'] });
  expect(sampleOf([])).toBeUndefined();
});

test('a sample is shown with its beginning, and its end where it has one', () => {
  const record = (until: number | undefined) =>
    sampleRecord(
      { share: 0.27, since: 7, until, nodes: ['node-1'] },
      (time) => `2026-07-02T14:03:${time + 10}.000000000Z`,
    );
  const [open, over] = [record(undefined), record(9)];
  expect(open).not.toHaveProperty('until');
  expect(open && sampleText(open, true)).toBe(
    'A SAMPLE: since 14:03:17.000000 node-1 analysed 27 % of the packets; connections that were left out are in no count',
  );
  expect(over && sampleText(over, true)).toMatch(/^A SAMPLE: 14:03:17\.000000 to 14:03:19\.000000 node-1 analysed/);
});

test('what is said while a capture runs', () => {
  expect(sampleNote('node-1', 2, 1)).toBe(
    'A SAMPLE: node-1 cannot keep up and analyses 1 of 4 connections from now on',
  );
  expect(sampleNote('node-1', 1, 2)).toBe('A SAMPLE: node-1 can analyse more again, 1 of 2 connections from now on');
  expect(sampleNote('\u001b[2Jx', 1, 0)).not.toContain('\u001b');
  expect(sampleNote('', 0, 1)).toBe('an agent has caught up: all connections are analysed again');
});
