import { closeSync, openSync, writeSync } from 'node:fs';
import {
  endMarker,
  interfaceDescription,
  nameResolution,
  sectionHeader,
  startMarker,
} from '../../../src/wire/pcapng-write.ts';
import { BUILT_EPOCH_NS } from '../../support/built-capture.ts';
import { packetBlock } from '../../support/packet-blocks.ts';
import { Random } from '../../support/random.ts';
import { type Frame, type Passed, TracedConnection } from '../../support/traced-capture.ts';
import { type Kept, kept } from './kept.ts';

/** Requests of the capture. */
export const TRACED_REQUESTS = 200_000;
/** Connections at once, and requests of each before another one takes its place. */
const OPEN = 64;
const REQUESTS_EACH = 200;
/** From one request to the next on any connection, ms. */
const STEP = 0.1;
/** The longest that anything is ahead of the request that is being written, ms. */
const SPAN = 20;
const PODS = 4;
/** Frames that are held until they are put in order. */
const BATCH = 16_384;

const CLIENT = '10.244.1.9';
const SERVICE = '10.96.0.7';
const pod = (number: number) => `10.244.2.${10 + number}`;

/**
 * Requests of one pod to a Service of four pods, captured at both ends: 64 connections at once, 10,000 requests/s, the servers' clock
 * 3 ms ahead.
 */
export function tracedRequests(): Promise<Kept> {
  const recipe = [TRACED_REQUESTS, OPEN, REQUESTS_EACH, STEP, SPAN, PODS, write.toString(), request(0), response(0)];
  return kept('traced.pcapng', recipe, write);
}

async function write(path: string): Promise<string> {
  const output = openSync(path, 'w');
  try {
    const interfaces = ['shop/client-1/any', ...Array.from({ length: PODS }, (_, number) => `shop/web-${number}/any`)];
    writeSync(output, sectionHeader('benchmark'));
    writeSync(output, startMarker());
    for (const [number, name] of interfaces.entries()) {
      const description = `node=node${Math.min(number, 1)}`;
      writeSync(output, interfaceDescription({ linkType: 1, snaplen: 262_144, name, description }));
    }
    const pods = Array.from({ length: PODS }, (_, number) => ({ address: pod(number), names: [`shop/web-${number}`] }));
    const named = [
      { address: CLIENT, names: ['shop/client-1'] },
      { address: SERVICE, names: ['web.shop'] },
    ];
    writeSync(output, nameResolution([...named, ...pods]));
    const random = new Random(15);
    const connections: TracedConnection[] = [];
    const frames: Frame[] = [];
    let packets = 0;
    for (let number = 0; number < TRACED_REQUESTS; number += 1) {
      const at = 10 + number * STEP;
      const open = number % OPEN;
      if (number % (OPEN * REQUESTS_EACH) < OPEN) connections[open] = opened(frames, number, at - 5);
      const network = 0.03 + random.below(100) / 1000;
      const server = 0.5 + random.below(4000) / 1000;
      const connection = connections[open] as TracedConnection;
      connection.send(0, request(number), [at, at + network]);
      connection.send(1, response(number), [at + 2 * network + server, at + network + server]);
      if (frames.length < BATCH && number + 1 < TRACED_REQUESTS) continue;
      const until = number + 1 < TRACED_REQUESTS ? at - SPAN : Number.POSITIVE_INFINITY;
      const due = frames.filter((frame) => frame.at < until).sort((a, b) => a.at - b.at);
      const blocks = due.map(({ interfaceId, bytes, at: ms }) =>
        packetBlock({ interfaceId, time: BUILT_EPOCH_NS + BigInt(Math.round(ms * 1e6)), bytes }),
      );
      writeSync(output, Buffer.concat(blocks));
      packets += due.length;
      const rest = frames.filter((frame) => frame.at >= until);
      // The connections add to this very list.
      frames.length = 0;
      frames.push(...rest);
    }
    writeSync(output, endMarker({ version: 1, reason: 'user', packets: interfaces.map(() => 0) }));
    return `${TRACED_REQUESTS} requests at both ends, ${packets} packets, ${OPEN} connections at once`;
  } finally {
    closeSync(output);
  }
}

function opened(frames: Frame[], number: number, at: number): TracedConnection {
  const server = number % PODS;
  const places: Passed[] = [
    { interfaceId: 0, server: [SERVICE, 80], ttl: 64 },
    { interfaceId: 1 + server, server: [pod(server), 8080], ttl: 62, ahead: 3 },
  ];
  const port = 32_768 + (number % 28_000);
  const initial = [Math.imul(number + 1, 0x9e3779b1), Math.imul(number + 1, 0x85ebca6b)] as const;
  return new TracedConnection(
    frames,
    places,
    [
      [CLIENT, port],
      [pod(server), 8080],
    ],
    initial,
  ).handshake(at, 0.05);
}

const request = (number: number) =>
  `GET /items/${number % 1000}?n=${number} HTTP/1.1\r\nHost: web.shop\r\nUser-Agent: bench/1.0\r\nAccept: */*\r\n\r\n`;

const response = (number: number) =>
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 12\r\n\r\nitem ${String(number).padStart(6, '0')}\n`;
