import { openSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { CaptureResult } from '../../../src/capture/streams/capture.ts';
import { interfaceKey } from '../../../src/capture/streams/report.ts';
import { captureSummary } from '../../../src/run/capture/summary.ts';
import type { BinaryOutputKind } from '../../../src/run/outputs/output.ts';
import { pcap } from '../../../src/run/outputs/pcap.ts';
import { pcapng } from '../../../src/run/outputs/pcapng.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';
import { summaryLines } from '../../../src/view/summary.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';
import { ended, fail, GAP } from '../../support/ended-capture.ts';
import { PLAIN } from '../outputs/plain.ts';

async function summaryOf(result: CaptureResult, path = '/dev/null', kind: BinaryOutputKind = pcapng) {
  const writer = new ByteWriter(openSync(path, 'w'), () => {});
  writer.push(Buffer.from('x'), 0, 1);
  await writer.drained();
  const output = kind.create({ ...PLAIN, writer });
  const sink = { writer, path: 'a.pcapng', description: 'wrote a.pcapng', close: async () => {} };
  const summary = captureSummary(result, { output, sink }, 1234);
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
  result.report.gaps.push(GAP, { ...GAP, until: undefined }, { ...GAP, incompleteSince: new Date(-9_000) });
  result.web.state = 'gone';
  fail(result.api, new KsnoopError('POD_HAS_NO_PROCESS', 'It has no process.'));
  const { notes, targets, late } = await summaryOf(result, '/dev/null', pcap);
  expect(notes).toEqual([
    'GAP: no packets from node-1 from 1970-01-01T00:00:00.000Z for 12.3 s: the connection was cut.',
    'GAP: no packets from node-1 from 1970-01-01T00:00:00.000Z to the end: the connection was cut.',
    'GAP: no packets from node-1 from 1970-01-01T00:00:00.000Z for 12.3 s, and counts since 1969-12-31T23:59:51.000Z are incomplete: the connection was cut.',
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
