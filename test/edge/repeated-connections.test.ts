import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { analysisOutput } from '../../src/run/analysis/index.ts';
import { agentStream, analysedAsItComes, packetBytes, shownOf } from './agent-stream.ts';
import { type Connection, churn } from './churn.ts';

const TIMEOUT = 120_000;

const TRAFFIC: Readonly<Record<string, (index: number) => Partial<Connection>>> = {
  'a connection per request': () => ({}),
  'some requests each': (index) => ({ requests: 1 + (index % 12), path: `/r${index % 5}` }),
  'responses of all lengths': (index) => ({ took: [2, 40, 49, 51, 99, 101, 220][index % 7] ?? 1 }),
  'failures between them': (index) => ({
    status: index % 9 === 4 ? '503 Down' : index % 13 === 2 ? '404 No' : '200 OK',
  }),
  'connections that end otherwise': (index) => ({
    end: index % 7 === 3 ? 'reset' : index % 11 === 5 ? 'open' : 'closed',
  }),
  'connections that are refused': (index) => ({ end: index % 5 === 3 ? 'refused' : 'closed' }),
  'segments that are sent again': (index) => ({ isRepeated: index % 10 === 7 }),
  'nothing requested': (index) => ({ requests: index % 4 === 1 ? 0 : 2 }),
  'retries with ids': (index) => ({
    headers: `X-Request-Id: id${Math.floor(index / 3)}\r\n`,
    status: index % 3 === 2 ? '200 OK' : '503 Down',
  }),
  'probes of kubelet': (index) => ({
    headers: index % 2 === 0 ? 'User-Agent: kube-probe/1.30\r\n' : '',
    path: '/healthz',
    end: index % 9 === 4 ? 'refused' : 'closed',
  }),
};

/** Which of several connections a finding names may differ, where the same id succeeds on one and fails on another at the same time. */
const withoutExamples = (line: string) => line.replace(/(came again after a failure[^"]*","flows":)\[[\d,]*\]/, '$1[]');

const FORMS = [
  { name: 'summary', argument: undefined, json: true },
  { name: 'summary', argument: undefined, json: false },
  { name: 'findings', argument: undefined, json: true },
  { name: 'map', argument: undefined, json: true },
  { name: 'csv', argument: 'tcp', json: false },
];

async function kindOf(name: string): Promise<AnalysisOutputKind> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  return kind;
}

test.each(Object.entries(TRAFFIC))(
  'connections that were added up on their node show the same: %s',
  { timeout: TIMEOUT },
  async (_name, of) => {
    const stream = churn(600, of);
    const names = { '10.0.0.1': 'shop/client-1', '10.0.0.2': 'shop/web' };
    for (const { name, argument, json } of FORMS) {
      const kind = await kindOf(name);
      const shown = (bytes: Uint8Array) =>
        shownOf(kind, [bytes], json, argument, undefined, names).map(withoutExamples);
      const expected = shown(stream);
      expect(shown(analysedAsItComes(stream, kind, true)), `${name} ${json}`).toEqual(expected);
      expect(expected.length).toBeGreaterThan(0);
      // Another agent joins: from then on each travels.
      expect(shown(analysedAsItComes(stream, kind, true, { joined: 2_500 })), `${name} ${json} joined`).toEqual(
        expected,
      );
    }
  },
);

test('of a connection per request less than a hundredth of the packets travels', async () => {
  const kind = await kindOf('summary');
  const stream = churn(3_000, (index) => ({
    path: '/cart',
    headers: 'User-Agent: curl/8.5.0\r\nAccept: */*\r\n',
    status: index % 100 === 99 ? '503 Down' : '200 OK',
  }));
  const packets = packetBytes(stream);
  expect(analysedAsItComes(stream, kind, true).length).toBeLessThan(packets * 0.01);
  // One by one they are more.
  expect(analysedAsItComes(stream, kind).length).toBeGreaterThan(packets * 0.05);
});

test('a connection before and behind a Service counts once where both of its legs were added up', {
  timeout: TIMEOUT,
}, async () => {
  const stream = agentStream(
    readFileSync(join(import.meta.dirname, '../analyze/flow/captures/both-ends-of-a-service.pcapng')),
  );
  for (const { name, argument, json } of FORMS) {
    const kind = await kindOf(name);
    const alone = analysedAsItComes(stream, kind, true);
    expect(shownOf(kind, [alone], json, argument), `${name} ${json}`).toEqual(shownOf(kind, [stream], json, argument));
    expect(alone.length).toBeLessThan(analysedAsItComes(stream, kind).length / 2);
  }
});

test('what is held back is bounded, whatever requests carry', { timeout: TIMEOUT }, async () => {
  const kind = await kindOf('summary');
  const stream = churn(
    2_500,
    (index) => ({ requests: 8, took: 0.2, headers: `X-Request-Id: ${index} ${'a longer one '.repeat(75)}\r\n` }),
    { every: 2, clientPorts: 2_500 },
  );
  const alone = analysedAsItComes(stream, kind, true);
  expect(shownOf(kind, [alone])).toEqual(shownOf(kind, [stream]));
  // Of all of them 28 MB would have to be held: nearly a half of them travels.
  expect(alone.length).toBeGreaterThan(analysedAsItComes(stream, kind).length * 0.45);
});

test('how many connections the pods of a Service got is known of those that were added up', async () => {
  const kind = await kindOf('findings');
  const stream = churn(
    80,
    (index) => ({ path: `/r${index % 10}`, server: index % 16 === 5 ? 3 : index % 16 === 11 ? 4 : 2 }),
    {
      every: 400,
      clientPorts: 80,
    },
  );
  const pods = [2, 3, 4].map((pod) => [`10.0.0.${pod}`, `shop/web-${pod} web.shop`] as const);
  const names = Object.fromEntries([...pods, ['10.0.0.1', 'shop/client-1']]);
  const shown = (bytes: Uint8Array) => shownOf(kind, [bytes], true, undefined, undefined, names).join();
  const expected = shown(stream);
  expect(expected).toContain('"text":"80 connections"');
  const withoutFlows = (text: string) => text.replace(/"flows":\[[\d,]*\]/g, '');
  expect(withoutFlows(shown(analysedAsItComes(stream, kind, true)))).toBe(withoutFlows(expected));
});
