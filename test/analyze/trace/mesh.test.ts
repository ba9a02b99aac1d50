// Requests through two real sidecars (captures/mesh/make-mesh.sh): joined over all hops, with and without the keys of the connection
// between the sidecars.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { KeyLog } from '../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import type { TraceRecord } from '../../../src/analyze/trace/record.ts';
import { trace } from '../../../src/run/analysis/trace.ts';
import { analysed } from '../../support/analysis-session.ts';
import { brief, sum } from './traces.ts';

const captures = join(import.meta.dirname, 'captures/mesh');
const read = (name: string) => readFileSync(join(captures, name));

function tracesOf(bytes: Uint8Array, keyLog?: string): TraceRecord[] {
  const keys = new KeyLog();
  if (keyLog !== undefined) keys.add(read(keyLog).toString());
  const { lines } = analysed(trace, bytes, { json: true, keys });
  return lines.map((line) => JSON.parse(line) as TraceRecord);
}

const numberOf = (text: string) => Number(/n=(\d+)/.exec(text)?.[1]);

/** Every request is one trace from the client to the server's program, all of it its own. */
function expectWhole(traces: readonly TraceRecord[], count: number): void {
  expect(traces.map(({ label }) => numberOf(label)).sort((a, b) => a - b)).toEqual([...new Array(count).keys()]);
  for (const { label, src, hops, total, ambiguous } of traces) {
    expect(src?.pod).toBe('client-1');
    expect(ambiguous).toBeUndefined();
    expect(sum(hops)).toBe(total);
    for (const hop of hops) {
      expect(hop.latency, brief(hop)).toBeGreaterThanOrEqual(0);
      if (hop.kind === 'server') expect(numberOf(hop.label)).toBe(numberOf(label));
    }
    expect(hops.filter(({ kind, from }) => kind === 'server' && from === 'shop/web-1')).toHaveLength(1);
  }
}

/** How long the sidecars of both pods, and the network between them, took. */
function split({ hops }: TraceRecord): readonly number[] | undefined {
  if (!hops.some(({ kind }) => kind === 'proxy')) return undefined;
  const of = (kind: string, from: string) => sum(hops.filter((hop) => hop.kind === kind && hop.from === from));
  return [of('proxy', 'shop/client-1'), of('network', 'shop/client-1'), of('proxy', 'shop/web-1')];
}

test.each([
  ['http1', 'likely'],
  ['http2', 'proven'],
])('%s between sidecars cannot be read: requests are joined, and are %s', (name, confidence) => {
  const traces = tracesOf(read(`${name}.pcapng`));
  expectWhole(traces, 12);
  for (const { hops } of traces) {
    expect(hops.find(({ kind }) => kind === 'server')?.confidence).toBe(confidence);
    // Where it is not certain which packets between the sidecars were the request's, its hop is all of that.
    const kinds = hops.filter(({ latency, kind }) => latency > 0 || kind === 'network').map(({ kind }) => kind);
    expect(['proxy network proxy server', 'mesh server']).toContain(kinds.join(' '));
  }
});

test.each(['http1', 'http2'])('%s with its keys: each sidecar is a hop, and proven', (name) => {
  const traces = tracesOf(read(`${name}.pcapng`), `${name}-keys.log`);
  expectWhole(traces, 12);
  for (const { hops } of traces) {
    const shown = hops.filter(({ latency, kind }) => latency > 0 && kind !== 'request' && kind !== 'response');
    expect(shown.map(({ kind, depth }) => `${kind} ${depth}`).join(', ')).toBe(
      'proxy 0, network 1, proxy 1, server 2, proxy 1, proxy 0',
    );
    expect(hops.every(({ confidence }) => confidence === 'proven' || name === 'http1')).toBe(true);
  }
});

test.each(['http1', 'http2'])('what is stated of %s without keys is what the keys show', (name) => {
  const keyed = new Map(tracesOf(read(`${name}.pcapng`), `${name}-keys.log`).map((one) => [one.label, split(one)]));
  const plain = tracesOf(read(`${name}.pcapng`));
  const stated = plain.filter((one) => split(one) !== undefined);
  for (const one of stated) expect(split(one), one.label).toEqual(keyed.get(one.label));
  if (name === 'http1') expect(stated.length).toBeGreaterThan(0);
});

/** The file with all packets of one interface at another time, in the order of the times then. */
function shifted(bytes: Buffer, interfaceId: number, by: bigint): Buffer {
  const head: Buffer[] = [];
  const packets: { readonly time: bigint; readonly block: Buffer }[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32LE(at + 4)) {
    const block = Buffer.from(bytes.subarray(at, at + bytes.readUInt32LE(at + 4)));
    if (block.readUInt32LE(0) !== 6) {
      head.push(block);
      continue;
    }
    let time = (BigInt(block.readUInt32LE(12)) << 32n) | BigInt(block.readUInt32LE(16));
    if (block.readUInt32LE(8) === interfaceId) time += by;
    block.writeUInt32LE(Number(time >> 32n), 12);
    block.writeUInt32LE(Number(time & 0xffff_ffffn), 16);
    packets.push({ time, block });
  }
  packets.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  // The end marker stays behind the packets.
  return Buffer.concat([...head.slice(0, -1), ...packets.map(({ block }) => block), ...head.slice(-1)]);
}

test.each([-300_000_000n, 7_000_000n, 400_000_000n])(
  'clocks of the nodes that differ by %d ns change nothing',
  (by) => {
    const bytes = read('http1.pcapng');
    const as = (traces: readonly TraceRecord[]) => traces.map(({ label, hops }) => [label, hops.map(brief)]).sort();
    expect(as(tracesOf(shifted(bytes, 1, by)))).toEqual(as(tracesOf(bytes)));
  },
);

test('TCP between the sidecars (istio-peer-exchange), and TLS 1.2', () => {
  expectWhole(tracesOf(read('tcp.pcapng')), 3);
  expectWhole(tracesOf(read('tls12.pcapng')), 4);
});

test('a request is never joined to another one’s answer, also where all paths are the same', () => {
  // The numbers in the queries are all that tells them apart: they are made equal.
  const bytes = read('http1.pcapng');
  for (let at = bytes.indexOf('?n='); at >= 0; at = bytes.indexOf('?n=', at + 1)) bytes.fill('0', at + 3, at + 4);
  const truth = new Map(tracesOf(read('http1.pcapng')).map((one) => [one.time, one]));
  for (const one of tracesOf(bytes)) {
    const server = one.hops.find(({ kind, from }) => kind === 'server' && from === 'shop/web-1');
    const right = truth.get(one.time)?.hops.find(({ kind }) => kind === 'server');
    if (server !== undefined && one.src?.pod === 'client-1') expect(server.flow).toBe(right?.flow);
  }
});
