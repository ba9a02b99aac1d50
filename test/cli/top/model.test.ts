import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Condition } from '../../../src/analyze/engine/session.ts';
import type { SummaryReport } from '../../../src/analyze/summary/report.ts';
import { summary } from '../../../src/run/analysis/summary.ts';
import { whereExpression } from '../../../src/run/where.ts';
import { analysed } from '../../support/analysis-session.ts';
import { topModel } from '../../support/top-model.ts';

const captures = join(import.meta.dirname, '../../analyze/protocols/captures');
const NAMES = [
  'http2.pcap',
  'dns.pcap',
  'mysql.pcap',
  'quic.pcap',
  '../../flow/captures/both-ends-of-a-service.pcapng',
];

/** What `-o summary --json` says of a capture. */
function summaryOf(name: string, where?: Condition): SummaryReport {
  const { lines } = analysed(summary, readFileSync(join(captures, name)), { json: true, where });
  return JSON.parse(lines.join('')) as SummaryReport;
}

function modelOf(name: string) {
  const { model, session } = topModel();
  session.push(readFileSync(join(captures, name)));
  session.end();
  model.refresh();
  return model;
}

test.each(NAMES)('the numbers of %s are those of the summary', (name) => {
  const report = JSON.parse(JSON.stringify(modelOf(name).report)) as SummaryReport;
  expect(report).toEqual(summaryOf(name));
  expect(report.services.length).toBeGreaterThan(0);
});

test.each(NAMES)('with an expression the numbers of %s are those of --where', async (name) => {
  const text = 'kind == "exchange" && failed || latency > duration("1ms")';
  const model = modelOf(name);
  const where = await whereExpression(text);
  model.show(where);
  const { services } = JSON.parse(JSON.stringify(model.report)) as SummaryReport;
  expect(services).toEqual(summaryOf(name, where?.condition).services);
  model.show(undefined);
  expect(JSON.parse(JSON.stringify(model.report))).toEqual(summaryOf(name));
});

test('a pause keeps what is seen and says what waits', () => {
  const { model, session } = topModel();
  const bytes = readFileSync(join(captures, 'http2.pcap'));
  session.push(bytes.subarray(0, bytes.length / 2));
  model.refresh();
  const before = model.report;
  const { end } = model.events;
  model.pause(true);
  session.push(bytes.subarray(bytes.length / 2));
  session.end();
  model.refresh();
  expect(model.report).toBe(before);
  expect(model.events.end).toBe(end);
  const { paused } = model.head;
  expect(paused?.packets).toBeGreaterThan(0);
  expect(paused?.exchanges).toBeGreaterThan(0);
  model.pause(false);
  expect(JSON.parse(JSON.stringify(model.report))).toEqual(summaryOf('http2.pcap'));
  expect(model.head.paused).toBe(undefined);
});

test('a pause before the first packet shows nothing of what comes', () => {
  const { model, session } = topModel();
  model.pause(true);
  session.push(readFileSync(join(captures, 'http2.pcap')));
  model.refresh();
  expect(model.report).toBe(undefined);
  expect(model.events.end).toBe(0);
  model.pause(false);
  expect(model.report).not.toBe(undefined);
});
