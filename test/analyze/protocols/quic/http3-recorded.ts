import { readFileSync } from 'node:fs';
import { KeyLog } from '../../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import type { Exchange } from '../../../../src/analyze/record/event.ts';
import { type Analysed, analyseBytes } from '../../../support/analysis.ts';

const file = (name: string) => readFileSync(new URL(`../captures/${name}`, import.meta.url));

/** HTTP/3 of real programs (captures/make-http3.sh), and what they wrote to their key log. */
export interface RecordedHttp3 {
  readonly capture: Buffer;
  readonly keyLog: string;
}

export const AIOQUIC: RecordedHttp3 = {
  capture: file('http3-aioquic.pcap'),
  keyLog: file('http3-aioquic.keys').toString('latin1'),
};
export const QUIC_GO: RecordedHttp3 = {
  capture: file('http3-quic-go.pcap'),
  keyLog: file('http3-quic-go.keys').toString('latin1'),
};

const TOGETHER = [0, 1, 2, 3, 4, 5];
const USUAL = [
  'GET /items/1?size=10 200',
  'POST /orders?status=201&size=3 201',
  'GET /missing?status=404 404',
  ...TOGETHER.map((number) => `GET /together/${number}?size=${number * 1500}&wait=${10 * (5 - number)} 200`),
  'GET /broken?status=500&size=12 500',
];
const UPDATED = [0, 1, 2].map((number) => `GET /updated/${number}?size=100 200`);

/** What was asked on each connection, with the answer's status; sorted. */
export const ASKED_OF_AIOQUIC: readonly (readonly string[])[] = [
  // AES-128.
  USUAL,
  // With early data.
  [...USUAL, 'GET /early?size=31 200'],
  // AES-256.
  USUAL,
  // ChaCha20, and three key updates.
  [...USUAL, ...UPDATED],
  // Retry.
  USUAL,
  // Version 2, and three key updates.
  [...USUAL, ...UPDATED],
  // The client moves to another port.
  [...USUAL, 'GET /moved?size=17 200'],
].map((asked) => asked.toSorted());

/** Of versions 1 and 2; quic-go changes its keys within the large answer. */
export const ASKED_OF_QUIC_GO: readonly (readonly string[])[] = [4601, 4602].map(() =>
  [
    'GET /items/7?size=20 200',
    'GET /missing?status=404 404',
    'POST /orders?size=9 200',
    'GET /broken?status=503&size=11 503',
    'DELETE /items/9?status=204&token=*** 204',
    ...TOGETHER.map((number) => `GET /together/${number}?size=${number * 3000} 200`),
    'GET /large?size=140000 200',
    'GET /after-update?size=40 200',
    'GET /slow?wait=600 RST REQUEST_CANCELLED',
    'GET /last?size=5 200',
  ].toSorted(),
);

/** A key log's text as it is used. */
export function keysOf(keyLog: string): KeyLog {
  const keys = new KeyLog();
  keys.add(keyLog);
  return keys;
}

/** The exchanges of HTTP/3, in the order in which they were found. */
export function exchanges({ events }: Pick<Analysed, 'events'>): Exchange[] {
  return events
    .map(({ event }) => event)
    .filter((event) => event.kind === 'exchange' && event.protocol === 'http') as Exchange[];
}

/** Method, path and status. */
export function words({ label, status }: Exchange): string {
  return `${label} ${status}`;
}

/** A packet of a pcap file: its record header and its bytes. */
export type PcapRecord = Buffer;

/** The records of a pcap file of microseconds in this machine's order. */
export function recordsOf(capture: Buffer): PcapRecord[] {
  const records: PcapRecord[] = [];
  for (let at = 24; at + 16 <= capture.length; ) {
    const end = at + 16 + capture.readUInt32LE(at + 8);
    records.push(capture.subarray(at, end));
    at = end;
  }
  return records;
}

/** What is found in a capture of these records. @param detail everything is decoded */
export function analyse(
  { capture }: RecordedHttp3,
  records: readonly PcapRecord[],
  keys: KeyLog,
  detail = true,
): Analysed {
  return analyseBytes(Buffer.concat([capture.subarray(0, 24), ...records]), detail, 1 << 20, keys);
}
