// Connections that iptables redirects to a proxy on the same machine: real sidecars, and made packets for what those do not show.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flows as flowsForm } from '../../../src/run/analysis/flows.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { analysisLines } from '../../support/analysis-lines.ts';
import { pcapngBlocks } from '../../support/packet-blocks.ts';
import { type End, TracedCapture } from '../../support/traced-capture.ts';

const MESH = readFileSync(join(import.meta.dirname, '../trace/captures/mesh/http1.pcapng'));
const APP: End = ['10.244.1.9', 40_000];
const PROXY: End = ['127.0.0.1', 15_001];
const CALLED: End = ['10.96.0.7', 80];

const GET = 'GET /cart HTTP/1.1\r\nHost: web\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/** What a client sends to the proxy and what the called address answers, one after the other. */
function redirected(app: End = APP, called: End = CALLED, isHandshakeSeen = true) {
  const capture = new TracedCapture(['shop/client-1/any']);
  const numbers = [1000, 9000] as const;
  const towards = capture.connection([{ interfaceId: 0, onlySide: 0 }], app, PROXY, numbers);
  const answers = capture.connection([{ interfaceId: 0, onlySide: 1 }], app, called, numbers);
  if (isHandshakeSeen) for (const half of [towards, answers]) half.handshake(1);
  for (let request = 0; request < 3; request += 1) {
    for (const half of [towards, answers]) half.send(0, GET, [10 + request * 10]).send(1, OK, [15 + request * 10]);
  }
  return capture;
}

const exchangesOf = (bytes: Uint8Array) =>
  analyseBytes(bytes).events.flatMap(({ event, server }) =>
    event.kind === 'exchange' && event.protocol === 'http' ? [`${event.label} ${event.status} ${server}`] : [],
  );

test('requests to a sidecar are whole, and of the address that the client called', () => {
  const { events, flows } = analyseBytes(MESH);
  const called = flows.filter(({ serverIp }) => serverIp === '10.96.0.7');
  expect(called).toHaveLength(3);
  for (const { serverPort, redirect, client, server, tcp } of called) {
    expect(serverPort).toBe(80);
    expect(redirect?.port).toBe(15_001);
    expect(client.packets).toBeGreaterThan(0);
    expect(server.packets).toBeGreaterThan(0);
    expect(tcp).toMatchObject({ state: 'closed', client: { lost: 0 }, server: { lost: 0 } });
  }
  // Nothing is left of the halves.
  expect(flows.filter(({ serverPort }) => serverPort === 15_001)).toEqual([]);
  const exchanges = events.flatMap(({ event, server }) =>
    event.kind === 'exchange' && server === '10.96.0.7:80' ? [event] : [],
  );
  expect(exchanges).toHaveLength(12);
  for (const { status, incomplete, responseEnd } of exchanges) {
    expect(status).toBe('200');
    expect(incomplete).toBeUndefined();
    expect(responseEnd).toBeDefined();
  }
});

test('however the packets are cut into portions, the flows are the same', () => {
  const whole = analyseBytes(MESH).flows;
  expect(analyseBytes(MESH, true, 97).flows).toEqual(whole);
});

test('the record names the proxy that took the connection', () => {
  const { lines } = analysisLines(flowsForm, MESH);
  const proxies = lines.map((line) => (JSON.parse(line) as { redirectedTo?: string }).redirectedTo);
  expect(proxies.filter((proxy) => proxy !== undefined)).toEqual(new Array(3).fill('127.0.0.1:15001'));
});

test('without the handshake the sequence numbers join the halves', () => {
  expect(exchangesOf(redirected(APP, CALLED, false).pcapng())).toEqual(new Array(3).fill('GET /cart 200 10.96.0.7:80'));
});

test('the answers may be seen first', () => {
  const capture = redirected(APP, CALLED, false);
  // The capture begins behind the first request.
  const frames = capture.frames.filter(({ at }) => at > 10);
  const [answer, ...rest] = exchangesOf(pcapngBlocks(capture.interfaces, frames));
  expect(answer).toMatch(/10\.96\.0\.7:80$/);
  expect(rest).toEqual(new Array(2).fill('GET /cart 200 10.96.0.7:80'));
});

test('a port below the proxy’s does not make the client the server', () => {
  expect(exchangesOf(redirected(['10.244.1.9', 2000], CALLED, false).pcapng())).toEqual(
    new Array(3).fill('GET /cart 200 10.96.0.7:80'),
  );
});

test('what a server sends to a client with a loopback address, seen first, makes it no client', () => {
  const flowsFrom = (first: number, question: string, answer: string) => {
    const capture = new TracedCapture(['shop/web-1/any']);
    const sidecar = capture.connection([{ interfaceId: 0 }], ['127.0.0.6', 40_001], ['10.244.1.6', 8080], [1000, 9000]);
    sidecar.handshake(1);
    for (const at of [10, 20, 30]) sidecar.send(0, question, [at]).send(1, answer, [at + 5]);
    return pcapngBlocks(capture.interfaces, capture.frames.slice(first));
  };
  const [SYN_ACK, FIRST_ANSWER] = [1, 4];
  for (const bytes of [flowsFrom(SYN_ACK, GET, OK), flowsFrom(FIRST_ANSWER, '\x01\x02\x03', '\x04\x05\x06')]) {
    const { flows } = analyseBytes(bytes);
    expect(flows.map(({ serverIp, serverPort }) => `${serverIp}:${serverPort}`)).toEqual(['10.244.1.6:8080']);
  }
  expect(exchangesOf(flowsFrom(SYN_ACK, GET, OK))).toEqual(new Array(3).fill('GET /cart 200 10.244.1.6:8080'));
});

test('addresses in the other order, and the proxy’s own port at the called address', () => {
  expect(exchangesOf(redirected(APP, ['8.8.8.8', 15_001]).pcapng())).toEqual(
    new Array(3).fill('GET /cart 200 8.8.8.8:15001'),
  );
  expect(exchangesOf(redirected(['192.168.1.1', 40_000], ['200.1.1.1', 80]).pcapng())).toEqual(
    new Array(3).fill('GET /cart 200 200.1.1.1:80'),
  );
});

test('answers with other sequence numbers are another connection’s', () => {
  const capture = new TracedCapture(['shop/client-1/any']);
  const towards = capture.connection([{ interfaceId: 0, onlySide: 0 }], APP, PROXY, [1000, 9000]);
  const answers = capture.connection([{ interfaceId: 0, onlySide: 1 }], APP, CALLED, [50_000_000, 90_000_000]);
  for (const half of [towards, answers]) half.handshake(1).send(0, GET, [10]).send(1, OK, [15]);
  const { flows } = analyseBytes(capture.pcapng());
  expect(flows.map(({ serverIp, redirect }) => [serverIp, redirect])).toEqual([
    ['127.0.0.1', undefined],
    ['10.96.0.7', undefined],
  ]);
});

test('the ports are used again: another connection, redirected too', () => {
  const first = redirected();
  const capture = new TracedCapture(['shop/client-1/any']);
  const numbers = [70_000_000, 80_000_000] as const;
  const towards = capture.connection([{ interfaceId: 0, onlySide: 0 }], APP, PROXY, numbers);
  const answers = capture.connection([{ interfaceId: 0, onlySide: 1 }], APP, CALLED, numbers);
  for (const half of [towards, answers]) half.handshake(1001).send(0, GET, [1010]).send(1, OK, [1015]);
  const frames = [...first.frames, ...capture.frames].sort((a, b) => a.at - b.at);
  const { flows, events } = analyseBytes(pcapngBlocks(capture.interfaces, frames));
  expect(flows.map(({ serverIp, serverPort }) => `${serverIp}:${serverPort}`)).toEqual([
    '10.96.0.7:80',
    '10.96.0.7:80',
  ]);
  expect(events.filter(({ event }) => event.kind === 'exchange')).toHaveLength(4);
});

test('a proxy that is not there refuses with the called address', () => {
  const capture = new TracedCapture(['shop/client-1/any']);
  const numbers = [1000, 0] as const;
  const towards = capture.connection([{ interfaceId: 0, onlySide: 0 }], APP, PROXY, numbers);
  const answers = capture.connection([{ interfaceId: 0, onlySide: 1 }], APP, CALLED, numbers);
  towards.syn([1]);
  answers.answer('RA', [1.1]);
  const { flows } = analyseBytes(capture.pcapng());
  expect(flows.map(({ serverIp, tcp }) => [serverIp, tcp?.state])).toEqual([['10.96.0.7', 'refused']]);
});

/** A DNS message: a question for `a.`, or an answer to it. */
function dns(id: number, isAnswer: boolean): Buffer {
  return Buffer.concat([
    Buffer.of(id >> 8, id & 255, isAnswer ? 0x81 : 1, isAnswer ? 0x80 : 0, 0, 1, 0, 0, 0, 0, 0, 0),
    Buffer.of(1, 97, 0, 0, 1, 0, 1),
  ]);
}

test('DNS that is redirected to a proxy is one dialogue with the server that was asked', () => {
  const capture = new TracedCapture(['shop/client-1/any']);
  const place = [{ interfaceId: 0 }];
  capture.datagram(place, [APP, ['127.0.0.1', 15_053]], 0, dns(7, false), [1]);
  capture.datagram(place, [APP, ['10.96.0.10', 53]], 1, dns(7, true), [2]);
  const { events, flows } = analyseBytes(capture.pcapng());
  expect(flows.map(({ serverIp, serverPort }) => `${serverIp}:${serverPort}`)).toEqual(['10.96.0.10:53']);
  const exchanges = events.flatMap(({ event }) => (event.kind === 'exchange' ? [event] : []));
  expect(exchanges.map(({ status, incomplete }) => [status, incomplete])).toEqual([['NOERROR', undefined]]);
});
