import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { FindingBounds } from '../../src/analyze/findings/cases.ts';
import { DETECTORS } from '../../src/analyze/findings/index.ts';
import { Tallies } from '../../src/analyze/findings/tallies.ts';
import { analysisOutput } from '../../src/run/analysis/index.ts';
import { type BuiltSegment, builtPcap, handshake } from '../support/built-capture.ts';
import { findingContext } from '../support/finding-context.ts';
import { agentStream, analysedAsItComes, shownOf } from './agent-stream.ts';

const TIMEOUT = 120_000;

interface Traffic {
  readonly connections: number;
  readonly requests: number;
  /** Milliseconds between the requests of a connection. */
  readonly every: number;
  /** By the number of a request on its connection. */
  readonly took?: (index: number) => number;
  readonly path?: (index: number, connection: number) => string;
  readonly status?: (index: number, connection: number) => string;
  readonly headers?: (index: number, connection: number) => string;
}

/** HTTP on connections that are kept, from 10.0.0.1 to 10.0.0.2. */
function keptAlive({
  connections,
  requests,
  every,
  took = (index) => 1 + (index % 17),
  path = () => '/cart',
  status = () => '200 OK',
  headers = () => '',
}: Traffic): Uint8Array {
  const all: BuiltSegment[] = [];
  for (let connection = 0; connection < connections; connection += 1) {
    const ports = [40_000 + connection, 80] as const;
    let [sent, received] = [1000 + connection * 1e6, 5000 + connection * 7e6];
    for (const segment of handshake([sent, received])) all.push({ ...segment, ports });
    sent += 1;
    received += 1;
    for (let index = 0; index < requests; index += 1) {
      const at = 10 + index * every + 2 * connection + jitter(index);
      const request = `GET ${path(index, connection)} HTTP/1.1\r\nHost: web\r\n${headers(index, connection)}\r\n`;
      const answer = `HTTP/1.1 ${status(index, connection)}\r\nContent-Length: 0\r\n\r\n`;
      all.push({ side: 0, sequence: sent, acknowledgment: received, flags: 'P.', payload: request, at, ports });
      sent += request.length;
      const end = at + took(index) + jitter(index + 7 * connection);
      all.push({ side: 1, sequence: received, acknowledgment: sent, flags: 'P.', payload: answer, at: end, ports });
      received += answer.length;
    }
  }
  return agentStream(builtPcap(all.sort((a, b) => a.at - b.at)));
}

/** Times of real programs differ by as much, milliseconds. */
function jitter(index: number): number {
  return (Math.imul(index + 1, 0x9e37_79b1) >>> 0) / 2 ** 32 / 2;
}

const TRAFFIC: Readonly<Record<string, Traffic>> = {
  'one route': { connections: 3, requests: 400, every: 100 },
  'many routes and statuses': {
    connections: 2,
    requests: 600,
    every: 50,
    path: (index) => `/r${index % 37}`,
    status: (index) => ['200 OK', '204 No Content', '404 Not Found', '503 Down', '302 Found'][index % 5] ?? '',
  },
  'responses of all lengths': {
    connections: 2,
    requests: 100,
    every: 3_000,
    took: (index) => [2, 40, 49, 51, 99, 101, 190, 220, 600, 900][index % 10] ?? 1,
  },
  'retries with ids': {
    connections: 3,
    requests: 300,
    every: 60,
    headers: (index, connection) => `X-Request-Id: id${connection}-${Math.floor(index / 3)}\r\n`,
    status: (index) => (index % 3 === 2 ? '200 OK' : '503 Down'),
  },
  'retries on other connections': {
    connections: 2,
    requests: 300,
    every: 60,
    headers: (index) => `X-Request-Id: id${index}\r\n`,
    status: (_index, connection) => (connection > 0 ? '200 OK' : '503 Down'),
  },
  'retries with ids of which some are masked': {
    connections: 2,
    requests: 300,
    every: 60,
    // The first and the last ones are not: of those that were added up the time of the last one is known.
    headers: (index) => `X-Request-Id: ${index % 3 === 0 || index === 299 ? `id${index}` : maskedId(index)}\r\n`,
    status: (_index, connection) => (connection > 0 ? '200 OK' : '503 Down'),
  },
  'ids without retries': {
    connections: 2,
    requests: 300,
    every: 60,
    headers: (index, connection) => `X-Request-Id: id${connection}-${index}\r\n`,
  },
};

/** What is masked also where a request id should be. */
const maskedId = (number: number) => `Bearer k${number}`;

const FORMS = ['summary', 'findings', 'map', 'csv=routes'].flatMap((output) => {
  const [name = '', argument] = output.split('=');
  return [true, false].map((json) => ({ name, argument, json }));
});

test.each(Object.entries(TRAFFIC))(
  'exchanges that were added up on their node show the same: %s',
  { timeout: TIMEOUT },
  async (_name, traffic) => {
    const stream = keptAlive(traffic);
    for (const { name, argument, json } of FORMS) {
      const kind = await analysisOutput(name)?.load();
      if (kind === undefined) throw new Error(`there is no output ${name}`);
      const edge = shownOf(kind, [analysedAsItComes(stream, kind)], json, argument);
      expect(edge, `${name} ${json}`).toEqual(shownOf(kind, [stream], json, argument));
      expect(edge.length).toBeGreaterThan(0);
      // Two nodes saw the same connections: all of it counts once.
      const copied = analysedAsItComes(stream, kind);
      const twice = shownOf(kind, [copied, copied], json, argument).filter((line) => !line.startsWith('#'));
      expect(twice, `${name} ${json} of two nodes`).toEqual(edge.filter((line) => !line.startsWith('#')));
    }
  },
);

test('a retry storm is found though attempts that succeed were added up', async () => {
  const kind = await analysisOutput('findings')?.load();
  if (kind === undefined) throw new Error('there are no findings');
  const stream = keptAlive(TRAFFIC['retries on other connections'] ?? { connections: 0, requests: 0, every: 0 });
  const [text = '{}'] = shownOf(kind, [analysedAsItComes(stream, kind)], true);
  expect(text).toContain('300 requests were sent 600 times, 2.0 times each');
});

test('of many requests on few connections less than a hundredth of the packets travels', async () => {
  const kind = await analysisOutput('summary')?.load();
  if (kind === undefined) throw new Error('there is no summary');
  const stream = keptAlive({ connections: 4, requests: 2_000, every: 20 });
  const addedUp = analysedAsItComes(stream, kind).length;
  expect(addedUp).toBeLessThan(stream.length * 0.01);
  // One by one they are more.
  expect(analysedAsItComes(stream, { ...kind, counts: false }).length).toBeGreaterThan(addedUp * 2);
});

test('a connection before and behind a Service, at two nodes, counts once', { timeout: TIMEOUT }, async () => {
  const file = readFileSync(join(import.meta.dirname, '../analyze/flow/captures/both-ends-of-a-service.pcapng'));
  const names = { shop: /^shop\/client/, web: /^shop\/web/ };
  const streams = Object.values(names).map((pattern) => agentStream(file, (_id, name) => pattern.test(name)));
  for (const { name, argument, json } of FORMS) {
    const kind = await analysisOutput(name)?.load();
    if (kind === undefined) throw new Error(`there is no output ${name}`);
    const singly = shownOf(
      kind,
      streams.map((stream) => analysedAsItComes(stream, { ...kind, counts: false })),
      json,
      argument,
    );
    const edges = streams.map((stream) => analysedAsItComes(stream, kind));
    expect(shownOf(kind, edges, json, argument), `${name} ${json}`).toEqual(singly);
  }
});

test('every detector that gets all exchanges of requests, or of DNS, takes those that were added up', () => {
  const context = findingContext(0n);
  const bounds = new FindingBounds();
  const tallies = new Tallies(context, bounds);
  const takers = DETECTORS.filter(({ exchanges }) => ['http', 'redis', 'dns'].some((name) => exchanges?.(name)));
  expect(takers.length).toBeGreaterThan(3);
  for (const kind of takers) {
    expect(kind.create({ ...context, bounds, tallies }).repeated, kind.codes.join()).toBeDefined();
  }
});
