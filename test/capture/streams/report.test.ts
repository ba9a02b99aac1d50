import { expect, test } from 'vitest';
import { CaptureReport, carries, countersOf, interfaceKey } from '../../../src/capture/streams/report.ts';

const counters = (captured: number, droppedByKernel = 0, droppedByKsnoop = 0) => ({
  captured,
  received: captured + droppedByKernel + droppedByKsnoop,
  droppedByKernel,
  droppedByKsnoop,
});

test('counters of an interface replace one another, those of several add up', () => {
  const report = new CaptureReport();
  const [web, api] = [report.add('1', 'shop/web'), report.add('2', 'shop/api')];
  web.counters.set(interfaceKey(1, 0), counters(5));
  web.counters.set(interfaceKey(1, 0), counters(10, 2, 1));
  api.counters.set(interfaceKey(1, 1), counters(100));
  expect(countersOf(web)).toEqual(counters(10, 2, 1));
  web.counters.set(interfaceKey(1, 2), counters(3));
  web.counters.set(interfaceKey(2, 0), counters(4, 1));
  expect(countersOf(web)).toEqual(counters(17, 3, 1));
  expect(countersOf(api)).toEqual(counters(100));
});

test('an interface is told from one of the same name: in another stream, or later in the same', () => {
  const report = new CaptureReport();
  const [first, second, old] = ['1', '2', '3'].map((key) => report.add(key, 'shop/db-0'));
  const tally = (stream: number, index: number) => ({
    id: 0,
    stream,
    index,
    name: 'shop/db-0/any',
    packets: 0,
    bytes: 0,
    truncated: 0,
  });
  first?.interfaces.add(interfaceKey(1, 0));
  second?.interfaces.add(interfaceKey(1, 1));
  // What an agent before 1.1 says.
  old?.interfaces.add(interfaceKey(2, 'shop/db-0/any'));
  const carried = [tally(1, 0), tally(1, 1), tally(2, 0)].map((one) =>
    [first, second, old].map((target) => target !== undefined && carries(target, one)),
  );
  expect(carried).toEqual([
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ]);
});

test('targets begin waiting, in the order they were named, and share nothing', () => {
  const report = new CaptureReport();
  for (const key of ['b', 'a']) report.add(key, `shop/${key}`);
  expect([...report.targets.values()].map(({ key, state }) => `${key} ${state}`)).toEqual(['b waiting', 'a waiting']);
  const [b, a] = report.targets.values();
  b?.interfaces.add('1/0');
  b?.counters.set('1/0', counters(1));
  expect(a?.interfaces.size).toBe(0);
  expect(a?.counters.size).toBe(0);
});

test('the failed ones', () => {
  const report = new CaptureReport();
  for (const state of ['waiting', 'capturing', 'gone', 'failed'] as const) report.add(state, state).state = state;
  expect(report.failed().map(({ key }) => key)).toEqual(['failed']);
});
