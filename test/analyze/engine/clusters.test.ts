// Two clusters in one capture whose pod networks overlap: equal addresses and ports are other hosts and other connections.
import { expect, test } from 'vitest';
import { json } from '../../../src/run/analysis/json.ts';
import { packets } from '../../../src/run/analysis/packets.ts';
import { summary } from '../../../src/run/analysis/summary.ts';
import { text } from '../../../src/run/analysis/text.ts';
import { clusterNames } from '../../../src/wire/capture-cluster.ts';
import { endMarker, interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { analysed } from '../../support/analysis-session.ts';
import { type BuiltSegment, builtBlocks, handshake } from '../../support/built-capture.ts';

/** A context may hold a slash and a space. */
const EAST = 'arn:aws:eks:eu:1:cluster/east';
const WEST = 'west side';

function described(cluster: string, pod: string, node: string): Uint8Array {
  return interfaceDescription({
    linkType: 1,
    snaplen: 262_144,
    name: `${cluster}/shop/${pod}/any`,
    description: `cluster=${encodeURIComponent(cluster)} node=${node}`,
  });
}

/** `count` exchanges on one connection, all answered with `status`. */
function conversation(interfaceId: number, path: string, status: number, at: number): BuiltSegment[] {
  const ask = `GET ${path} HTTP/1.1\r\nHost: web\r\n\r\n`;
  const answer = `HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`;
  const isn: [number, number] = [100 + interfaceId * 5000, 200 + interfaceId * 5000];
  const segments = [...handshake(isn, at)];
  for (let index = 0; index < 5; index += 1) {
    const sequence = isn[0] + 1 + index * ask.length;
    const acknowledgment = isn[1] + 1 + index * answer.length;
    segments.push({ side: 0, sequence, acknowledgment, payload: ask, flags: 'P.', at: at + 10 + index * 10 });
    segments.push({
      side: 1,
      sequence: acknowledgment,
      acknowledgment: sequence + ask.length,
      payload: answer,
      flags: 'P.',
      at: at + 12 + index * 10,
    });
  }
  return segments.map((segment) => ({
    ...segment,
    interfaceId,
    direction: segment.side === 0 ? 'in' : 'out',
  }));
}

/** Both clusters have 10.0.0.1:40000 > 10.0.0.2:80 at the same time, packet by packet in turn. */
function capture(isNamed = true): Buffer {
  const segments = [...conversation(0, '/east', 200, 0), ...conversation(1, '/west', 503, 0.2)];
  segments.sort((a, b) => a.at - b.at);
  return Buffer.concat([
    sectionHeader('test'),
    described(EAST, 'web-e', 'node-1'),
    described(WEST, 'web-w', 'node-1'),
    ...(isNamed
      ? [
          clusterNames(EAST, [
            { address: '10.0.0.1', names: ['shop/client-e'] },
            { address: '10.0.0.2', names: ['web.shop', 'shop/web-e'] },
          ]),
          clusterNames(WEST, [
            { address: '10.0.0.1', names: ['shop/client-w'] },
            { address: '10.0.0.2', names: ['web.shop', 'shop/web-w'] },
          ]),
        ]
      : []),
    ...builtBlocks(segments),
    endMarker({ version: 1, reason: 'user', packets: [0, 0] }),
  ]);
}

test('equal addresses of two clusters are two connections, and nothing is taken for a copy', () => {
  const { flows, events, copies } = analyseBytes(capture());
  expect(flows).toHaveLength(2);
  expect(copies).toBe(0);
  expect(flows.map(({ client, server }) => client.packets + server.packets)).toEqual([13, 13]);
  expect(
    events.map(({ event, flow }) => `${flow} ${event.label} ${event.kind === 'exchange' && event.status}`),
  ).toEqual(Array.from({ length: 5 }, () => ['0 GET /east 200', '1 GET /west 503']).flat());
});

test('every record has the names of its cluster', () => {
  const { lines } = analysisLines(json, capture());
  const records = lines.map((line) => JSON.parse(line)).filter(({ kind }) => kind === 'exchange');
  expect(records).toHaveLength(10);
  for (const record of records) {
    const isEast = record.interface.startsWith(EAST);
    expect([record.src.cluster, record.src.pod, record.dst.cluster, record.dst.pod]).toEqual(
      isEast ? [EAST, 'client-e', EAST, 'web-e'] : [WEST, 'client-w', WEST, 'web-w'],
    );
    expect(record.http.path).toBe(isEast ? '/east' : '/west');
  }
});

test.each([
  ['text', text],
  ['packets', packets],
])('%s shows the cluster in front of a name', (_name, kind) => {
  const { lines } = analysed(kind, capture(), { utc: true });
  const all = lines.join('\n');
  expect(all).toContain(`${EAST}/shop/client-e`);
  expect(all).toContain(`${WEST}/shop/client-w`);
  expect(all).not.toMatch(/east\/shop\/(?:client|web)-w|west side\/shop\/(?:client|web)-e/);
});

test('a summary keeps the clusters apart: the failures of one are not those of the other', () => {
  const { lines } = analysisLines(summary, capture());
  const all = lines.join('\n');
  expect(all).toContain(`${EAST}/web.shop`);
  expect(all).toContain(`${WEST}/web.shop`);
});

test('without names a peer is its cluster with its address, and the pod that its interface shows', () => {
  const { lines, session } = analysisLines(json, capture(false));
  const first = lines.map((line) => JSON.parse(line)).slice(0, 2);
  expect(first.map(({ src, dst }) => [src.cluster, src.ip, dst.pod])).toEqual([
    [EAST, '10.0.0.1', 'web-e'],
    [WEST, '10.0.0.1', 'web-w'],
  ]);
  expect(session.names.ofAddress('10.0.0.2', 1e9)).toBeUndefined();
});

test('clusters beyond the bound have no names, and their packets are analysed all the same', () => {
  const many = Array.from({ length: 1_100 }, (_, index) =>
    clusterNames(`c${index}`, [{ address: '10.0.0.1', names: ['a/b'] }]),
  );
  const bytes = Buffer.concat([
    sectionHeader('test'),
    ...many,
    described('beyond', 'web', 'node-1'),
    ...builtBlocks(conversation(0, '/a', 200, 0)),
  ]);
  const { lines } = analysisLines(json, bytes);
  const [exchange] = lines.map((line) => JSON.parse(line));
  expect(exchange.src).toEqual({ ip: '10.0.0.1', port: 40_000, cluster: 'other clusters' });
});
