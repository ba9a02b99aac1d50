import { findings } from '../../src/run/analysis/findings.ts';
import { summary } from '../../src/run/analysis/summary.ts';
import { agentStream, analysedAsItComes, packetBytes } from '../edge/agent-stream.ts';
import { churnFile } from '../edge/churn.ts';
import { lookupsFile, merged } from '../edge/lookups.ts';
import { type Bench, type Figure, figure } from './support/figure.ts';
import { samplesOf } from './support/measure.ts';

/** So many requests or lookups, one every 10 ms: two minutes. */
const COUNT = 12_000;
const EVERY_MS = 10;
const REQUESTS_KEPT = 100;
/** A node's bytes for the client, of those of its packets. */
const SHARE = 0.01;

const NAME = 'api.example.com';
const SEARCH = ['.shop.svc.cluster.local', '.svc.cluster.local', '.cluster.local', ''].map((end) => `${NAME}${end}`);

const HEADERS = { headers: 'User-Agent: curl/8.5.0\r\nAccept: */*\r\n' };
const timing = { every: EVERY_MS, clientPorts: COUNT };
const connections = () => churnFile(COUNT, () => HEADERS, timing);
const kept = { ...HEADERS, requests: REQUESTS_KEPT };

/** What passes, and whether another agent is part of the capture. */
const TRAFFIC: readonly (readonly [name: string, file: () => Buffer, alone: boolean])[] = [
  ['requests on kept connections', () => churnFile(COUNT / REQUESTS_KEPT, () => kept, { every: 1_000 }), true],
  [
    'requests on kept connections, several nodes',
    () => churnFile(COUNT / REQUESTS_KEPT, () => kept, { every: 1_000 }),
    false,
  ],
  ['a connection for each request', connections, true],
  ['a connection for each request, several nodes', connections, false],
  [
    'a lookup and a connection for each request',
    () =>
      merged(
        connections(),
        lookupsFile(COUNT, () => ({}), timing),
      ),
    true,
  ],
  [
    'lookups with a search list, and connections',
    () =>
      merged(
        connections(),
        lookupsFile(COUNT, () => ({ names: SEARCH }), timing),
      ),
    true,
  ],
  ['lookups alone', () => lookupsFile(COUNT, () => ({}), timing), true],
];

/** What a node sends for a summary, or for findings, when its agent analyses the packets there. */
export const edgeBytes: Bench = {
  name: 'edge-bytes',
  about: `bytes that a node sends with --edge, of ${COUNT} requests or lookups`,
  run() {
    const figures: Figure[] = [];
    for (const [name, file, alone] of TRAFFIC) {
      const stream = agentStream(file());
      const captured = packetBytes(stream);
      for (const [form, kind] of Object.entries({ summary, findings })) {
        const sent = analysedAsItComes(stream, kind, alone).length;
        figures.push(
          figure({
            name: `${name}, ${form}`,
            unit: 'kB',
            ours: samplesOf([sent / 1e3]),
            peer: samplesOf([(SHARE * captured) / 1e3]),
            against: `${SHARE * 100} % of the bytes of the packets`,
            goal: { relation: '<=', ratio: 1 },
            notes: [`${((100 * sent) / captured).toFixed(2)} % of ${(captured / 1e6).toFixed(1)} MB`],
          }),
        );
      }
    }
    return Promise.resolve(figures);
  },
};
