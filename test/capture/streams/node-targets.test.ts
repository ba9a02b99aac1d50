import { expect, test } from 'vitest';
import { INTERFACES_PER_TARGET } from '../../../src/capture/limits.ts';
import type { CaptureObserver } from '../../../src/capture/streams/capture-observer.ts';
import { NodeTargets } from '../../../src/capture/streams/node-targets.ts';
import { CaptureReport, countersOf } from '../../../src/capture/streams/report.ts';

const nothing = () => {};
const observer: CaptureObserver = {
  started: nothing,
  waiting: nothing,
  failed: nothing,
  gone: nothing,
  lost: nothing,
  resumed: nothing,
  note: nothing,
  log: nothing,
};

test('an agent cannot make the client remember interfaces without end', () => {
  const report = new CaptureReport();
  const target = report.add('a', 'shop/web');
  const targets = new NodeTargets([{ key: 'a', kind: 'host' }], report, observer);
  const counters = { captured: 1, received: 1, droppedByKernel: 0, droppedByKsnoop: 0 };
  for (let id = 0; id < INTERFACES_PER_TARGET + 50; id += 1) {
    targets.take({ type: 'started', target: 'a', interface: `i${id}`, id }, 1);
    targets.take({ type: 'counters', target: 'a', id, counters }, 1);
  }
  expect(target.interfaces.size).toBe(INTERFACES_PER_TARGET);
  expect(target.counters.size).toBe(INTERFACES_PER_TARGET);
  // What is counted already goes on.
  targets.take({ type: 'counters', target: 'a', id: 0, counters: { ...counters, captured: 11 } }, 1);
  expect(countersOf(target).captured).toBe(INTERFACES_PER_TARGET + 10);
  expect(target.state).toBe('capturing');
});
