import { expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { analysisOutput } from '../../src/run/analysis/index.ts';
import { agentStream, analysedAsItComes, packetBytes, shownOf } from './agent-stream.ts';
import { type Connection, churnFile } from './churn.ts';
import { type Lookup, lookupsFile, merged } from './lookups.ts';

const TIMEOUT = 240_000;

const SEARCH = [
  'api.example.com.shop.svc.cluster.local',
  'api.example.com.svc.cluster.local',
  'api.example.com.cluster.local',
  'api.example.com',
];

const TRAFFIC: Readonly<Record<string, (index: number) => Partial<Lookup>>> = {
  'one name': () => ({}),
  'many names of several clients': (index) => ({
    names: [`svc-${index % 30}.shop.svc.cluster.local`],
    client: [1, 21, 22, 23][index % 4] ?? 1,
    address: 100 + (index % 30),
    took: [0.2, 4, 30, 99, 120, 250][index % 6] ?? 1,
  }),
  'search lists': (index) => ({ names: SEARCH, client: index % 3 === 0 ? 21 : 1 }),
  'names that do not exist': (index) => ({
    names: [`gone-${index % 7}.shop.svc.cluster.local`],
    end: index % 4 === 1 ? 'found' : 'missing',
  }),
  'servers that fail': (index) => ({ end: index % 9 === 4 ? 'failed' : 'found', server: 53 + (index % 2) }),
  'slow answers': (index) => ({ took: index % 12 === 0 ? 900 : 130 }),
  'queries without answers': (index) => ({ end: index % 11 === 6 ? 'unanswered' : 'found' }),
  'a query of two that is lost': (index) => ({
    end: index % 17 === 6 ? 'half answered late' : index % 23 === 9 ? 'half answered' : 'found',
  }),
  'answers that come twice': (index) => ({ end: index % 5 === 2 ? 'answered twice' : 'found' }),
  'lookups from one socket': (index) => ({
    port: 33_333,
    names: [`svc-${index % 3}.shop.svc.cluster.local`],
    end: index % 29 === 11 ? 'half answered late' : 'found',
  }),
  // Clients and servers among them: what came before is counted under the earlier name.
  'addresses that get other names': (index) => ({
    names: [`svc-${Math.floor(index / 40)}.shop.svc.cluster.local`],
    address: [2, 1, 53, 21][Math.floor(index / 80) % 4] ?? 2,
    client: index % 2 === 0 ? 1 : 21,
  }),
  'queries that are rejected': (index) => ({ end: index % 10 === 3 ? 'rejected' : 'found' }),
  'letters of any case': (index) => ({
    names: [index % 50 === 7 ? 'WEB.shop.svc.cluster.local' : 'web.shop.svc.cluster.local'],
  }),
};

const FORMS = [
  { name: 'summary', argument: undefined, json: true },
  { name: 'summary', argument: undefined, json: false },
  { name: 'findings', argument: undefined, json: true },
  { name: 'map', argument: undefined, json: true },
  { name: 'csv', argument: 'dns', json: false },
];

const CONNECTIONS = (index: number): Partial<Connection> => ({ status: index % 50 === 9 ? '503 Down' : '200 OK' });

async function kindOf(name: string): Promise<AnalysisOutputKind> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  return kind;
}

/** A lookup before each connection. */
function lookupsAndConnections(count: number, of: (index: number) => Partial<Lookup>, every = 40): Uint8Array {
  return agentStream(merged(lookupsFile(count, of, { every }), churnFile(count, CONNECTIONS, { every })));
}

const NAMES = { '10.0.0.1': 'shop/client-1', '10.0.0.21': 'shop/client-2', '10.0.0.53': 'kube-system/dns' };

test.each(Object.entries(TRAFFIC))(
  'lookups that were added up on their node show the same: %s',
  { timeout: TIMEOUT },
  async (_name, of) => {
    // Some of the rows are sent in the middle.
    const stream = lookupsAndConnections(240, of, 100);
    for (const { name, argument, json } of FORMS) {
      const kind = await kindOf(name);
      const shown = (bytes: Uint8Array, names = {}) => shownOf(kind, [bytes], json, argument, undefined, names);
      const [expected, named] = [shown(stream), shown(stream, NAMES)];
      expect(expected.length).toBeGreaterThan(0);
      const alone = analysedAsItComes(stream, kind, true);
      expect(shown(alone), `${name} ${json}`).toEqual(expected);
      expect(shown(alone, NAMES), `${name} ${json} with names`).toEqual(named);
      if (!json) continue;
      // Another agent joins: from then on each travels.
      expect(shown(analysedAsItComes(stream, kind, true, { joined: 1_030 })), `${name} ${json} joined`).toEqual(
        expected,
      );
    }
  },
);

test('of a lookup and a connection for each request less than a hundredth of the packets travels', async () => {
  const kind = await kindOf('findings');
  const stream = lookupsAndConnections(2_000, () => ({ names: SEARCH }), 10);
  const packets = packetBytes(stream);
  expect(analysedAsItComes(stream, kind, true).length).toBeLessThan(packets * 0.01);
  // One by one they are more.
  expect(analysedAsItComes(stream, kind).length).toBeGreaterThan(packets * 0.02);
});

test('the first lookups of a client, which are the examples of a finding, travel with their flows', async () => {
  const kind = await kindOf('findings');
  const stream = agentStream(lookupsFile(300, () => ({ names: SEARCH })));
  const [text = '{}'] = shownOf(kind, [analysedAsItComes(stream, kind, true)], true);
  expect(text).toContain('"code":"DNS_SEARCH_EXPANSION"');
  expect(text).toContain('"flows":[0,1,2,3,4]');
});

test('a client that does not take lookups that are added up gets each', async () => {
  const kind = await kindOf('summary');
  const stream = agentStream(lookupsFile(300, () => ({})));
  const older = analysedAsItComes(stream, kind, true, { request: { lookups: false } });
  expect(older.length).toBeGreaterThan(analysedAsItComes(stream, kind, true).length * 3);
  expect(shownOf(kind, [older])).toEqual(shownOf(kind, [stream]));
});

test('a flow that is open when another agent joins, which sees it too, counts once', async () => {
  const kind = await kindOf('summary');
  const file = lookupsFile(300, (index) => ({ port: 33_000 + (index % 20), client: 1 + (index % 2) * 20 }));
  const joined = 700;
  const first = agentStream(file);
  const second = analysedAsItComes(agentStream(file, undefined, joined), kind);
  const shown = (stream: Uint8Array) => shownOf(kind, [stream, second], true);
  const expected = shown(analysedAsItComes(first, kind));
  expect(shown(analysedAsItComes(first, kind, true, { joined }))).toEqual(expected);
  // Those that the second one saw are copies.
  expect(expected.join()).toContain('"flows":{"udp":20}');
  expect(expected.join()).toContain('duplicate packets');
});

test('what comes before a sample begins is not of it', async () => {
  const kind = await kindOf('findings');
  const stream = lookupsAndConnections(400, (index) => ({ names: SEARCH, client: 1 + (index % 9) * 10 }));
  const shown = (counts: boolean) =>
    shownOf({ ...kind, counts: true }, [analysedAsItComes(stream, { ...kind, counts }, counts, { late: 3_000 })], true);
  expect(shown(true)).toEqual(shown(false));
  expect(shown(true).join()).toContain('"sample":{"share":0.');
});

test('of more kinds of lookups than are kept each that is new travels', { timeout: TIMEOUT }, async () => {
  const kind = await kindOf('summary');
  const stream = agentStream(lookupsFile(12_000, (index) => ({ names: [`pod-${index % 6_000}.shop`] }), { every: 1 }));
  expect(shownOf(kind, [analysedAsItComes(stream, kind, true)], true)).toEqual(shownOf(kind, [stream], true));
});
