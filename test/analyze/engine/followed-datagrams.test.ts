import { expect, test } from 'vitest';
import { stream } from '../../../src/run/analysis/stream.ts';
import { analysed } from '../../support/analysis-session.ts';
import { datagramPcap } from '../../support/built-datagrams.ts';

test('of a flow of UDP the datagrams of both sides are followed, and no other flow’s', () => {
  const file = datagramPcap([
    { payload: 'first', at: 0 },
    { payload: 'other', port: 9000, at: 100 },
    { side: 1, payload: 'answer', at: 200 },
    { payload: 'second', at: 300 },
  ]);
  const raw = (flow: number) => analysed(stream, file, { argument: `${flow},raw`, json: false, utc: true }).lines;
  const hex = (text: string) => Buffer.from(text).toString('hex');
  expect(raw(0)).toEqual([hex('first'), `\t${hex('answer')}`, hex('second')]);
  expect(raw(1)).toEqual([hex('other')]);
});
