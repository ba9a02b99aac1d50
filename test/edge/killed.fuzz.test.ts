// Ten minutes of requests through a Service on three nodes, analysed there, while agents are killed: nothing counts twice.
import { expect, test } from 'vitest';
import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { EdgeAnalysis } from '../../src/edge/edge-analysis.ts';
import { json } from '../../src/run/analysis/json.ts';
import { trace } from '../../src/run/analysis/trace.ts';
import { edgeRequest } from '../../src/run/outputs/edge.ts';
import { endMarker } from '../../src/wire/pcapng-write.ts';
import { Random } from '../support/random.ts';
import { TracedCapture } from '../support/traced-capture.ts';
import { agentStream, shownOf } from './agent-stream.ts';

const SEEDS = process.env.KSNOOP_SEED === undefined ? [1, 2, 3] : [Number(process.env.KSNOOP_SEED)];
const MINUTES_MS = 600_000;
const INTERFACES = ['shop/client-1/any', 'shop/web-1/any', 'shop/api-1/any'];
/** The interfaces of each node: a node may have both ends of a connection. */
const LAYOUTS = [
  [[0], [1], [2]],
  [[0, 1], [2]],
] as const;
const SERVERS = ['10.244.2.6', '10.244.3.7'];

/** Around a kill: what had not left the agent before, and connections whose next request is needed to see who is who after. */
const BEFORE_MS = 3_000;
const AFTER_MS = 3_000;

interface Killed {
  readonly node: number;
  readonly from: number;
  readonly to: number;
}

interface Asked {
  readonly label: string;
  readonly at: number;
  readonly server: number;
}

/** Connections that live for some requests, each to one of two pods behind a Service. */
function shop(random: Random): { readonly capture: TracedCapture; readonly asked: readonly Asked[] } {
  const capture = new TracedCapture(INTERFACES);
  const asked: Asked[] = [];
  for (let number = 0, at = 1_000; at < MINUTES_MS; number += 1, at += random.below(800)) {
    const server = random.below(2);
    const pod = [SERVERS[server] ?? '', 8080] as const;
    const service = ['10.96.0.7', 80] as const;
    const places = [
      { interfaceId: 0, ttl: 64, client: ['10.244.1.9', 20_000 + (number % 30_000)] as const, server: service },
      { interfaceId: 1 + server, ttl: 62, client: ['10.244.1.9', 20_000 + (number % 30_000)] as const, server: pod },
    ];
    const initial = [random.below(2 ** 31), random.below(2 ** 31)] as const;
    const connection = capture.connection(places, ['10.244.1.9', 20_000 + (number % 30_000)], service, initial);
    connection.handshake(at);
    let next = at + 5;
    for (let left = 1 + random.below(20); left > 0 && next < MINUTES_MS; left -= 1) {
      const label = `GET /n${asked.length}`;
      asked.push({ label, at: next, server });
      connection.send(0, `${label} HTTP/1.1\r\nHost: web\r\n\r\n`, [next, next + 0.5]);
      connection.send(1, 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok', [next + 5, next + 4]);
      next += 10 + random.below(1_500);
    }
    connection.close(next);
  }
  return { capture, asked };
}

/** What an agent has sent of its packets from one time to another. @param isKilled in the middle: without an end, and cut anywhere */
function sent(
  { capture, kind, random }: { capture: TracedCapture; kind: AnalysisOutputKind; random: Random },
  interfaces: readonly number[],
  [from, to]: readonly [number, number],
  isKilled: boolean,
): Uint8Array {
  const part = new TracedCapture(INTERFACES);
  part.frames.push(
    ...capture.frames.filter(({ interfaceId, at }) => interfaces.includes(interfaceId) && at >= from && at < to),
  );
  const marker = endMarker({ version: 1, reason: 'stopped', interfaces: [] });
  const whole = agentStream(part.pcapng(), (id) => interfaces.includes(id));
  const stream = isKilled ? whole.subarray(0, whole.length - marker.length) : whole;
  const written: Uint8Array[] = [];
  let now = 0;
  const request = edgeRequest(kind, { where: undefined, showSecrets: false });
  const edge = new EdgeAnalysis(
    request,
    (bytes) => void written.push(bytes),
    () => now,
  );
  for (let at = 0; at < stream.length; at += 4_096) {
    now += 260;
    edge.push(Uint8Array.from(stream.subarray(at, at + 4_096)), 0);
  }
  const last = written.at(-1);
  if (isKilled && last !== undefined) written[written.length - 1] = last.subarray(0, random.below(last.length));
  return Buffer.concat(written);
}

const RUNS = SEEDS.flatMap((seed) => LAYOUTS.map((nodes) => ({ seed, nodes, count: nodes.length })));

test.each(RUNS)(
  'what agents found that are killed counts once at the most, and only near a kill not at all: seed $seed, $count nodes',
  ({ seed, nodes }) => {
    const random = new Random(seed);
    const { capture, asked } = shop(random);
    const kills: Killed[] = [];
    for (let node = 0; node < nodes.length; node += 1) {
      for (let at = 20_000 + random.below(60_000); at < MINUTES_MS - 20_000; at += 30_000 + random.below(120_000)) {
        kills.push({ node, from: at, to: at + 500 + random.below(4_000) });
      }
    }
    const ofNode = (node: number) => kills.filter((kill) => kill.node === node);
    for (const kind of [json, trace]) {
      const streams = nodes.flatMap((interfaces, node) => {
        const starts = [0, ...ofNode(node).map(({ to }) => to)];
        const ends = [...ofNode(node).map(({ from }) => from), Number.POSITIVE_INFINITY];
        return starts.map((from, index) => {
          const to = ends[index] ?? 0;
          return sent({ capture, kind, random }, interfaces, [from, to], to !== Number.POSITIVE_INFINITY);
        });
      });
      const lines = shownOf(kind, streams, true);
      const found = lines
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line))
        // The leg behind the Service is listed, and does not count.
        .filter(({ kind: of, sameAs }) => (of === 'exchange' || of === 'trace') && sameAs === undefined);
      const counts = new Map<string, number>();
      for (const { label, incomplete } of found) {
        // Of a request that a kill cut the rest may be found by the next agent.
        if (incomplete === undefined || incomplete === 'unknown') counts.set(label, (counts.get(label) ?? 0) + 1);
      }
      expect([...counts].filter(([, count]) => count > 1)).toEqual([]);
      const isNear = ({ at, server }: Asked) =>
        kills.some(
          ({ node, from, to }) =>
            nodes[node]?.some((id: number) => id === 0 || id === 1 + server) === true &&
            at > from - BEFORE_MS &&
            at < to + AFTER_MS,
        );
      const away = asked.filter((each) => !isNear(each));
      expect(away.filter(({ label }) => !counts.has(label))).toEqual([]);
      expect(away.length).toBeGreaterThan(asked.length / 2);
      expect(lines.some((line) => /flows? without an end: their agent was lost/.test(line))).toBe(true);
    }
  },
);
