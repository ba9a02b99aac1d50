import { expect, test } from 'vitest';
import { CaptureReport, countersOf } from '../../src/capture/report.ts';

const counters = (captured: number, droppedByKernel = 0, droppedByKsnoop = 0) => ({
  captured,
  received: captured + droppedByKernel + droppedByKsnoop,
  droppedByKernel,
  droppedByKsnoop,
});

test('counters of a session replace one another, those of several sessions add up', () => {
  const report = new CaptureReport();
  const [web, api] = [report.add('1', 'shop/web'), report.add('2', 'shop/api')];
  web.current = counters(5);
  web.current = counters(10, 2, 1);
  api.current = counters(100);
  expect(countersOf(web)).toEqual(counters(10, 2, 1));
  report.closeSession(['1']);
  expect(countersOf(web)).toEqual(counters(10, 2, 1));
  // A session that said nothing of it adds nothing.
  report.closeSession(['1', 'unknown']);
  web.current = counters(7, 1);
  expect(countersOf(web)).toEqual(counters(17, 3, 1));
  expect(countersOf(api)).toEqual(counters(100));
});

test('targets begin waiting, in the order they were named, and share nothing', () => {
  const report = new CaptureReport();
  for (const key of ['b', 'a']) report.add(key, `shop/${key}`);
  expect([...report.targets.values()].map(({ key, state }) => `${key} ${state}`)).toEqual(['b waiting', 'a waiting']);
  const [b, a] = report.targets.values();
  b?.interfaces.add('shop/b/any');
  if (b !== undefined) b.current = counters(1);
  report.closeSession(['b']);
  expect(a?.interfaces.size).toBe(0);
  expect(a?.past.captured).toBe(0);
});

test('the failed ones', () => {
  const report = new CaptureReport();
  for (const state of ['waiting', 'capturing', 'gone', 'failed'] as const) report.add(state, state).state = state;
  expect(report.failed().map(({ key }) => key)).toEqual(['failed']);
});
