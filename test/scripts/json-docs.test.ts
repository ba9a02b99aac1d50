import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { JSON_DOCS, withTables } from '../../scripts/json-docs.ts';
import { protocolFields } from '../../src/analyze/protocols/all-fields.ts';
import type { FieldTable } from '../../src/analyze/protocols/protocol.ts';
import { COMMON_FIELDS, EVENT_FIELDS, FLOW_FIELDS, PACKET_FIELDS } from '../../src/analyze/record/fields.ts';
import { SUMMARY_FIELDS } from '../../src/analyze/summary/report-fields.ts';
import { Summary } from '../../src/analyze/summary/summary.ts';
import { exchange, madeAnalysis, message, notice, tcpFacts } from '../analyze/made-events.ts';
import { undocumented } from '../support/documented.ts';

it('docs/json.md has the fields as they are (else: node scripts/json-docs.ts)', () => {
  const page = readFileSync(JSON_DOCS, 'utf8');
  expect(page).toBe(withTables(page));
});

it('no protocol has a field where a common one stands, and every field stands under a name of its own', () => {
  const own: FieldTable = { ...COMMON_FIELDS, ...EVENT_FIELDS, ...PACKET_FIELDS };
  const common = new Set(Object.keys(own).map((path) => path.split('.')[0]));
  for (const { fields } of protocolFields()) {
    for (const path of Object.keys(fields)) {
      expect(path).toMatch(/^[a-z][A-Za-z0-9]*\.[A-Za-z]/);
      expect(common).not.toContain(path.split('.')[0]);
    }
  }
});

it('events and flows have no member that is not documented, in the documented order', () => {
  const { recorder, names, flow } = madeAnalysis();
  names.add('10.244.1.9', { namespace: 'shop', pod: 'a', service: 'b', node: 'c', name: 'd' }, 0);
  const events = { ...COMMON_FIELDS, ...EVENT_FIELDS };
  for (const event of [
    exchange({ fields: {}, incomplete: 'response not captured' }),
    message({ fields: {} }),
    notice(),
  ]) {
    const record = recorder.event(event, flow());
    expect(undocumented(JSON.parse(JSON.stringify(record)), events)).toEqual([]);
    expect(Object.keys(record)).toEqual([...new Set(Object.keys(events).map((path) => path.split('.')[0]))]);
  }
  const flows = { ...COMMON_FIELDS, ...EVENT_FIELDS, ...FLOW_FIELDS };
  expect(undocumented(JSON.parse(JSON.stringify(recorder.flow(flow({ tcp: tcpFacts }).facts()))), flows)).toEqual([]);
});

it('the summary has the documented members, all of them', () => {
  const { recorder, hosts, names, flow } = madeAnalysis();
  names.add('10.244.1.5', { namespace: 'shop', pod: 'a', service: 'b' }, 0);
  const summary = new Summary(hosts, names);
  summary.event(exchange(), flow());
  summary.event(exchange({ protocol: 'grpc' }), flow());
  summary.event(exchange({ protocol: 'dns', label: 'A web' }), flow());
  summary.event(exchange({ protocol: 'tls', fields: { tls: { sni: 'a', version: 'b' } } }), flow());
  summary.event(message(), flow());
  summary.event(notice(), flow());
  summary.flowEnded(flow({ tcp: tcpFacts }));
  const report = JSON.parse(JSON.stringify(summary.report(recorder, { first: 0, last: 1e9 })));
  expect(undocumented(report, SUMMARY_FIELDS)).toEqual([]);
  // Only sums that reached a bound have `missed`, and only samples `sample`.
  const missing = Object.keys(SUMMARY_FIELDS).filter(
    (path) => !path.endsWith('.missed') && !path.startsWith('sample.') && !has(report, path.split('.')),
  );
  expect(missing).toEqual([]);
});

function has(value: unknown, [name = '', ...rest]: readonly string[]): boolean {
  if (name === '') return true;
  const plain = name.replace('[]', '');
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, plain)) return false;
  const member = (value as Record<string, unknown>)[plain];
  return has(name.endsWith('[]') ? (member as unknown[])[0] : member, rest);
}
