import type { CaptureResult } from '../../src/capture/streams/capture.ts';
import { CaptureReport, interfaceKey, type TargetReport } from '../../src/capture/streams/report.ts';
import { Tally } from '../../src/capture/streams/tally.ts';
import type { KsnoopError } from '../../src/wire/errors.ts';

type Changes = Partial<Omit<CaptureResult, 'report' | 'tally'>>;

/** A capture of two targets that ended well: 5 packets of web, 1 of them cut, and nothing of api. */
export function ended(changes: Changes = {}): CaptureResult & { web: TargetReport; api: TargetReport } {
  const report = new CaptureReport();
  const [web, api] = [report.add('1', 'shop/web'), report.add('2', 'shop/api')];
  for (const [index, target] of [web, api].entries()) {
    target.state = 'capturing';
    target.interfaces.add(interfaceKey(1, index));
  }
  const counters = { captured: 6, received: 9, droppedByKernel: 2, droppedByKsnoop: 1 };
  web.counters.set(interfaceKey(1, 0), counters);
  const tally = new Tally(
    { addInterface: () => {}, write: () => {}, ended: false },
    { packets: Number.POSITIVE_INFINITY, bytes: Number.POSITIVE_INFINITY },
    () => {},
  );
  tally.interfaces.push({ id: 0, stream: 1, index: 0, name: 'shop/web/any', packets: 5, bytes: 500, truncated: 1 });
  tally.interfaces.push({ id: 1, stream: 1, index: 1, name: 'shop/api/any', packets: 0, bytes: 0, truncated: 0 });
  Object.assign(tally, { packets: 5, bytes: 500 });
  return {
    report,
    tally,
    late: 0,
    streamBytes: 700,
    clockNotes: [],
    cause: 'user',
    cutOff: false,
    ...changes,
    web,
    api,
  };
}

export const nothing = () => {
  const result = ended();
  result.tally.interfaces.length = 0;
  return result;
};

export function fail(target: TargetReport, error?: KsnoopError): void {
  target.state = 'failed';
  target.error = error;
}

export const GAP = {
  cluster: 'c',
  node: 'node-1',
  label: 'node-1',
  from: new Date(0),
  until: new Date(12_300),
  reason: 'the connection was cut.',
};
