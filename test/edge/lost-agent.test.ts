// An agent that adds up is lost: from its stream it is known since when its counts are incomplete.
import { expect, test } from 'vitest';
import { Merge } from '../../src/capture/streams/merge.ts';
import { summary } from '../../src/run/analysis/summary.ts';
import { isObject, type JsonObject, objectAt, objectsAt, optionalNumber, parseJson } from '../../src/wire/guard.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import { agentStream, analysedAsItComes, shownOf } from './agent-stream.ts';
import { type Connection, churn } from './churn.ts';
import { lookupsFile } from './lookups.ts';

const EVERY_MS = 40;
/** A request takes so long, and a connection so much more, at most, milliseconds. */
const REQUEST_MS = 5;
const AROUND_MS = 10;
/** So long a closed connection stays in the flow table, at most, milliseconds. */
const CLOSED_MS = 11_000;
/** The stream ends after so many parts of it. */
const PARTS = 12;

const TRAFFIC: Readonly<Record<string, (index: number) => Partial<Connection>>> = {
  'a connection for each request': () => ({}),
  'connections with some requests, and with many': (index) => ({ requests: 1 + (index % 12), path: `/r${index % 5}` }),
  'failures between them': (index) => ({ status: index % 9 === 4 ? '503 Down' : '200 OK' }),
};

/** Until when all that a stream brings is whole, and until when it was delivered, milliseconds since 1970. */
function timesOf(stream: Uint8Array): { readonly whole: number; readonly delivered: number } {
  const merge = new Merge({ addInterface: () => {}, write: () => {} }, () => 0);
  const source = merge.addSource('node');
  source.push(Uint8Array.from(stream));
  return { whole: source.wholeUntil?.getTime() ?? 0, delivered: source.deliveredUntil?.getTime() ?? 0 };
}

/** Time of the first packet of a stream, milliseconds since 1970. */
function firstPacketMs(stream: Uint8Array): number {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let at = 0;
  while (view.getUint32(at, true) !== BLOCK.enhancedPacket) at += view.getUint32(at + 4, true);
  return (view.getUint32(at + 12, true) * 2 ** 32 + view.getUint32(at + 16, true)) / 1e6;
}

/** Requests and connections that a summary of a stream counts. */
function countsIn(stream: Uint8Array, of = 'http'): { readonly requests: number; readonly connections: number } {
  const [line = '{}'] = shownOf(summary, [stream], true);
  const report = parseJson(line, 'a summary');
  if (!isObject(report)) throw new Error('no summary');
  const sum = (rows: readonly JsonObject[], name: string) =>
    rows.reduce((all, row) => all + (optionalNumber(row, name) ?? 0), 0);
  const requests = objectsAt(report, 'routes').filter(({ protocol }) => protocol === of);
  return {
    requests: sum(requests, 'count'),
    connections: sum(objectsAt(objectAt(report, 'tcp'), 'servers'), 'connections'),
  };
}

test.each(Object.entries(TRAFFIC).flatMap(([name, of]) => [true, false].map((alone) => ({ name, of, alone }))))(
  'all that ended before the time that a lost agent was whole until was counted: $name, alone $alone',
  {
    timeout: 120_000,
  },
  ({ of, alone }) => {
    const count = 1_500;
    const packets = churn(count, of, { every: EVERY_MS });
    const stream = analysedAsItComes(packets, summary, alone);
    const start = firstPacketMs(packets);
    let behind = 0;
    for (let part = 1; part < PARTS; part += 1) {
      const cut = stream.subarray(0, Math.floor((stream.length * part) / PARTS));
      const { whole, delivered } = timesOf(cut);
      if (whole === 0) continue;
      const ended = { requests: 0, connections: 0 };
      for (let index = 0; index < count; index += 1) {
        const { requests = 1 } = of(index);
        const end = start + index * EVERY_MS + requests * REQUEST_MS + AROUND_MS;
        if (end < whole) ended.requests += requests;
        // A note counts those that had no end yet.
        if (end < whole - CLOSED_MS) ended.connections += 1;
      }
      const counted = countsIn(cut);
      expect(counted.requests, `${part} of ${PARTS}`).toBeGreaterThanOrEqual(ended.requests);
      expect(counted.connections, `${part} of ${PARTS}`).toBeGreaterThanOrEqual(ended.connections);
      behind = Math.max(behind, delivered - whole);
    }
    // What is held back is bounded, and with it what may be missing.
    expect(behind).toBeGreaterThan(1_000);
    expect(behind).toBeLessThan(alone ? 40_000 : 20_000);
  },
);

test('all lookups that ended before the time that a lost agent was whole until were counted', {
  timeout: 120_000,
}, () => {
  const count = 1_000;
  const packets = agentStream(lookupsFile(count, (index) => ({ took: index % 7 }), { every: EVERY_MS }));
  const stream = analysedAsItComes(packets, summary, true);
  const start = firstPacketMs(packets);
  let behind = 0;
  for (let part = 1; part < PARTS; part += 1) {
    const cut = stream.subarray(0, Math.floor((stream.length * part) / PARTS));
    const { whole, delivered } = timesOf(cut);
    if (whole === 0) continue;
    // Of A and AAAA each.
    const ended = 2 * Math.max(0, Math.floor((whole - start - AROUND_MS) / EVERY_MS));
    expect(countsIn(cut, 'dns').requests, `${part} of ${PARTS}`).toBeGreaterThanOrEqual(ended);
    behind = Math.max(behind, delivered - whole);
  }
  expect(behind).toBeGreaterThan(1_000);
  expect(behind).toBeLessThan(20_000);
});
