import { expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { analysisOutput } from '../../src/run/analysis/index.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { agentStream, analysedAsItComes, nodesOf, shownOf } from './agent-stream.ts';
import { type Connection, churn } from './churn.ts';
import { places, type Way } from './places.ts';

const TIMEOUT = 120_000;

interface Traffic extends Way {
  readonly of: (index: number) => Partial<Connection>;
  /** Findings give the first connections to end as examples, and those of several nodes end in another order. */
  readonly endsElsewhere?: true;
}

/** By the client's port, which counts up from 40,000. */
const everyOf = (period: number, rest: number) => (clientPort: number) => clientPort % period === rest;

const TRAFFIC: Readonly<Record<string, Traffic>> = {
  'a connection per request': { of: () => ({}) },
  'some requests each': { of: (index) => ({ requests: 1 + (index % 12), path: `/r${index % 5}` }) },
  'failures between them': {
    of: (index) => ({ status: index % 9 === 4 ? '503 Down' : index % 13 === 2 ? '404 No' : '200 OK' }),
  },
  'connections that are refused': { of: (index) => ({ end: index % 5 === 3 ? 'refused' : 'closed' }) },
  'refused at a port that the Service does not have': {
    of: (index) => ({ end: index % 5 === 3 ? 'refused' : 'closed' }),
    servicePort: 8080,
  },
  'refused behind a port of the Service that is above the clients': {
    of: (index) => ({ end: index % 5 === 3 ? 'refused' : 'closed' }),
    servicePort: 50_080,
  },
  'SYNs that nothing answers': { of: (index) => ({ end: index % 7 === 3 ? 'unanswered' : 'closed' }) },
  'SYNs that do not reach the server': {
    of: (index) => ({ end: index % 8 === 3 ? 'unanswered' : 'closed' }),
    isLost: everyOf(16, 3),
  },
  'connections that are reset': { of: (index) => ({ end: index % 7 === 3 ? 'reset' : 'closed' }) },
  'probes of kubelet': {
    of: (index) => ({
      headers: index % 2 === 0 ? 'User-Agent: kube-probe/1.30\r\n' : '',
      path: '/healthz',
      end: index % 9 === 4 ? 'refused' : 'closed',
    }),
    isProbe: everyOf(2, 0),
  },
  'all of it, at two servers': {
    of: (index) => ({
      requests: index % 3,
      server: 2 + (index % 2),
      status: index % 10 === 4 ? '500 No' : '200 OK',
      end: index % 7 === 3 ? 'refused' : index % 11 === 5 ? 'unanswered' : index % 13 === 6 ? 'reset' : 'closed',
    }),
    isProbe: everyOf(10, 1),
    servicePort: 8080,
    endsElsewhere: true,
  },
};

const FORMS = [
  { name: 'summary', json: true },
  { name: 'summary', json: false },
  { name: 'findings', json: true },
  { name: 'flows', json: true },
  { name: 'map', json: true },
  { name: 'csv', argument: 'tcp', json: false },
  { name: 'json', json: false },
  { name: 'text', json: false },
] as const satisfies readonly { name: string; json: boolean; argument?: string }[];

const NAMES = {
  '10.0.0.1': 'shop/client-1',
  '10.0.0.2': 'shop/web-1',
  '10.0.0.3': 'shop/web-2',
  '10.96.0.10': 'web.shop',
};

async function kindOf(name: string): Promise<AnalysisOutputKind> {
  const kind = await analysisOutput(name)?.load();
  if (kind === undefined) throw new Error(`there is no output ${name}`);
  return kind;
}

/** Flows are numbered as they come here. */
const withoutNumbers = (line: string) => line.replace(/"(flows?|sameAs)":(\[[\d,]*\]|\d+)/g, '"$1":[]');

const withoutExamples = (line: string) => line.replace(/,"(where|filter)":"[^"]*"|,"times":\[[^\]]*\]/g, '');

/** What each node captured. */
function streamsOf(file: Uint8Array): Uint8Array[] {
  return [...nodesOf(file).values()].map((names) => agentStream(file, (_id, name) => names.has(name)));
}

/** A stream without its first packets. */
function withoutFirst(stream: Uint8Array, packets: number): Uint8Array {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  const kept: Uint8Array[] = [];
  let count = 0;
  for (let at = 0; at < stream.length; at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) === BLOCK.enhancedPacket && count++ < packets) continue;
    kept.push(stream.subarray(at, at + view.getUint32(at + 4, true)));
  }
  return Buffer.concat(kept);
}

async function expectSame(streams: readonly Uint8Array[], endsElsewhere = false): Promise<void> {
  for (const form of FORMS) {
    const { name, json } = form;
    const argument = 'argument' in form ? form.argument : undefined;
    const kind = await kindOf(name);
    const shown = (all: readonly Uint8Array[]) => {
      const lines = shownOf(kind, all, json, argument, undefined, NAMES).map(withoutNumbers).sort();
      return endsElsewhere && name === 'findings' ? lines.map(withoutExamples) : lines;
    };
    const expected = shown(streams);
    expect(expected.length).toBeGreaterThan(0);
    expect(shown(streams.map((stream) => analysedAsItComes(stream, kind))), `${name} ${json}`).toEqual(expected);
  }
}

test.each(Object.entries(TRAFFIC))(
  'connections that several nodes saw show the same as their packets: %s',
  { timeout: TIMEOUT },
  async (_name, { of, endsElsewhere, ...way }) => {
    await expectSame(streamsOf(places(churn(240, of, { clientPorts: 240 }), way)), endsElsewhere);
  },
);

test('connections whose server has an agent that comes later show the same', { timeout: TIMEOUT }, async () => {
  const [client, server] = streamsOf(
    places(churn(240, (index) => ({ end: index % 5 === 3 ? 'refused' : 'closed' }), { clientPorts: 240 })),
  );
  if (client === undefined || server === undefined) throw new Error('there are not two nodes');
  await expectSame([client, withoutFirst(server, 701)]);
});
