import { openSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CaptureResult } from '../../../src/capture/streams/capture.ts';
import { CaptureReport, interfaceKey, type TargetReport } from '../../../src/capture/streams/report.ts';
import { Tally } from '../../../src/capture/streams/tally.ts';
import { captureSummary, exitCode } from '../../../src/cli/capture/result.ts';
import type { BinaryOutputKind } from '../../../src/run/outputs/output.ts';
import { pcap } from '../../../src/run/outputs/pcap.ts';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';
import { summaryLines } from '../../../src/view/summary.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { PLAIN } from '../../run/outputs/plain.ts';
import { captureConfig } from '../config.ts';

type Changes = Partial<Omit<CaptureResult, 'report' | 'tally'>>;

/** A capture of two targets that ended well: 5 packets of web, 1 of them cut, and nothing of api. */
function ended(changes: Changes = {}): CaptureResult & { web: TargetReport; api: TargetReport } {
  const report = new CaptureReport();
  const [web, api] = [report.add('1', 'shop/web'), report.add('2', 'shop/api')];
  for (const [index, target] of [web, api].entries()) {
    target.state = 'capturing';
    target.interfaces.add(interfaceKey(1, index));
  }
  const counters = { captured: 6, received: 9, droppedByKernel: 2, droppedByKsnoop: 1 };
  web.counters.set(interfaceKey(1, 0), counters);
  const tally = new Tally({ addInterface: () => {}, write: () => {}, ended: false }, captureConfig(), () => {});
  tally.interfaces.push({ id: 0, stream: 1, index: 0, name: 'shop/web/any', packets: 5, bytes: 500, truncated: 1 });
  tally.interfaces.push({ id: 1, stream: 1, index: 1, name: 'shop/api/any', packets: 0, bytes: 0, truncated: 0 });
  Object.assign(tally, { packets: 5, bytes: 500 });
  return { report, tally, late: 0, clockNotes: [], cause: 'user', cutOff: false, ...changes, web, api };
}

const nothing = () => {
  const result = ended();
  result.tally.interfaces.length = 0;
  return result;
};

function fail(target: TargetReport, error?: KsnoopError): void {
  target.state = 'failed';
  target.error = error;
}

const GAP = { node: 'node-1', from: new Date(0), until: new Date(12_300), reason: 'the connection was cut.' };

test('0: every way to end that the user chose', () => {
  for (const cause of ['user', 'duration', 'limit', 'output-ended', 'targets-ended'] as const) {
    expect(exitCode(ended({ cause }), undefined)).toBe(0);
  }
});

test('1: the output failed, also where targets failed too', () => {
  const result = ended();
  expect(exitCode(result, new Error('full'))).toBe(1);
  fail(result.api);
  expect(exitCode(result, new Error('full'))).toBe(1);
});

test('4: some targets failed, there is a gap, or the last packets are missing', () => {
  const partly = ended();
  fail(partly.api, new KsnoopError('NO_SUCH_TARGET', 'No.', { exit: 3 }));
  expect(exitCode(partly, undefined)).toBe(4);
  const gap = ended();
  gap.report.gaps.push(GAP);
  expect(exitCode(gap, undefined)).toBe(4);
  expect(exitCode(ended({ cutOff: true }), undefined)).toBe(4);
});

test('nothing captured: what the first error stands for, else 1', () => {
  for (const exit of [1, 2, 3] as const) {
    const result = nothing();
    fail(result.web, new KsnoopError('BAD_TARGET', 'No.', { exit }));
    fail(result.api, new KsnoopError('CAPTURE_FAILED', 'No.', { exit: 1 }));
    expect(exitCode(result, undefined)).toBe(exit);
  }
  expect(exitCode(nothing(), undefined)).toBe(1);
});

test('a target that is gone is no failure', () => {
  const result = ended();
  result.web.state = 'gone';
  result.api.state = 'gone';
  expect(exitCode(result, undefined)).toBe(0);
});

async function summaryOf(result: CaptureResult, path = '/dev/null', kind: BinaryOutputKind = pcapng) {
  const writer = new ByteWriter(openSync(path, 'w'), () => {});
  writer.push(Buffer.from('x'), 0, 1);
  await writer.drained();
  const output = kind.create({ ...PLAIN, writer });
  const sink = { writer, description: 'wrote a.pcapng', close: async () => {} };
  const summary = captureSummary(captureConfig({ write: 'a.pcapng' }), result, output, sink, 1234);
  writer.close();
  return summary;
}

test('what came from an agent that could not tell its last counts was received', async () => {
  const result = ended();
  const told = { captured: 1, received: 2, droppedByKernel: 1, droppedByKsnoop: 0 };
  result.web.counters.set(interfaceKey(1, 0), told);
  const { targets } = await summaryOf(result);
  expect(targets[0]).toMatchObject({ captured: 5, received: 6, droppedByKernel: 1 });
});

test('every target has what is in the file, and what its agent counted', async () => {
  const { targets, ...rest } = await summaryOf(ended());
  expect(targets).toEqual([
    // Captured is what came here, not what the agent saw leave.
    {
      label: 'shop/web',
      captured: 5,
      received: 9,
      droppedByKernel: 2,
      droppedByKsnoop: 1,
      truncated: 1,
      note: undefined,
    },
    {
      label: 'shop/api',
      captured: 0,
      received: 0,
      droppedByKernel: 0,
      droppedByKsnoop: 0,
      truncated: 0,
      note: undefined,
    },
  ]);
  expect(rest).toEqual({ elapsedMs: 1234, bytes: 500, late: 0, notes: ['wrote a.pcapng'] });
});

test('what is missing is told: gaps, the last packets, what the form leaves out, who failed', async () => {
  const result = ended({ cutOff: true, late: 3 });
  result.report.gaps.push(GAP, { ...GAP, until: undefined });
  result.web.state = 'gone';
  fail(result.api, new KsnoopError('POD_HAS_NO_PROCESS', 'It has no process.'));
  const { notes, targets, late } = await summaryOf(result, '/dev/null', pcap);
  expect(notes).toEqual([
    'GAP: no packets from node-1 from 1970-01-01T00:00:00.000Z for 12.3 s: the connection was cut.',
    'GAP: no packets from node-1 from 1970-01-01T00:00:00.000Z to the end: the connection was cut.',
    'the last packets of an agent were not waited for any longer and are missing',
    'wrote a.pcapng',
    'the pcap form leaves out interface names, address names, directions and statistics',
  ]);
  expect(targets.map(({ note }) => note)).toEqual(['gone', 'failed: It has no process.']);
  expect(late).toBe(3);
});

test('a file that could not be written to its end is never said to be written', async () => {
  const { notes } = await summaryOf(ended(), '/dev/full');
  expect(notes).toEqual([
    'the file a.pcapng could not be written to its end: the disk is full; what is in it up to there can be read',
  ]);
});

test('targets that share a network namespace are counted once in all', async () => {
  const result = ended();
  result.api.interfaces.clear();
  result.api.interfaces.add(interfaceKey(1, 0));
  for (const [key, counters] of result.web.counters) result.api.counters.set(key, counters);
  const { targets } = await summaryOf(result);
  expect(targets.map(({ label, sharedWith, captured }) => ({ label, sharedWith, captured }))).toEqual([
    { label: 'shop/web', sharedWith: undefined, captured: 5 },
    { label: 'shop/api', sharedWith: 'shop/web', captured: 5 },
  ]);
  const lines = summaryLines(await summaryOf(result));
  expect(lines[0]).toContain('5 packets captured');
  expect(lines[2]).toContain('the same packets as shop/web');
});

test('5: with --strict any loss, without it none', () => {
  const lossless = ended();
  lossless.web.counters.clear();
  expect(exitCode(lossless, undefined, true)).toBe(0);
  expect(exitCode(ended(), undefined)).toBe(0);
  expect(exitCode(ended(), undefined, true)).toBe(5);
  expect(exitCode({ ...lossless, cutOff: true }, undefined, true)).toBe(5);
});
