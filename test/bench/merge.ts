import { type BlockSink, Merge } from '../../src/capture/streams/merge.ts';
import {
  enhancedPacketBytes,
  interfaceDescription,
  sectionHeader,
  writeEnhancedPacket,
} from '../../src/wire/pcapng-write.ts';
import { type Bench, figure } from './support/figure.ts';
import { samplesOf, sideBySide } from './support/measure.ts';

const NODES = 1_000;
const PACKETS = 400_000;
/** Of all nodes together, in a second of the capture's own time. */
const RATE = 1_000_000;
const CAPLEN = 300;
const PACKET_BYTES = enhancedPacketBytes(CAPLEN, false);
/** An agent gathers small packets this long, milliseconds (src/wire/limits.ts, COALESCE_MS). */
const CHUNK_MS = 10;
const ROUNDS = 7;
const GOAL = 1.5;

interface Chunk {
  readonly source: number;
  /** When it arrives, milliseconds of the capture's own time. */
  readonly at: number;
  readonly bytes: Uint8Array;
}

/** Streams of that many nodes as their agents send them, every one a pcapng of its own; packets at random among the nodes. */
function streams(nodes: number): Chunk[] {
  const chunks: Chunk[] = [];
  const data = new Uint8Array(CAPLEN);
  const started = BigInt(1_795_000_000) * 1_000_000_000n;
  for (let source = 0; source < nodes; source += 1) {
    const name = `shop/web-${source}/any`;
    const head = [
      sectionHeader('bench'),
      interfaceDescription({ linkType: 276, snaplen: 262_144, name, description: 'node=n', filter: undefined }),
    ];
    chunks.push({ source, at: 0, bytes: Buffer.concat(head) });
  }
  const perChunk = (RATE / 1_000) * CHUNK_MS;
  let seed = 1;
  for (let first = 0; first < PACKETS; first += perChunk) {
    const at = (first / RATE) * 1_000 + CHUNK_MS;
    const times = new Map<number, bigint[]>();
    for (let index = first; index < first + perChunk; index += 1) {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
      const source = (seed >>> 8) % nodes;
      const time = started + BigInt(Math.floor((index * 1e9) / RATE));
      const known = times.get(source);
      if (known === undefined) times.set(source, [time]);
      else known.push(time);
    }
    for (const [source, own] of times) {
      const bytes = new Uint8Array(PACKET_BYTES * own.length);
      const view = new DataView(bytes.buffer);
      let offset = 0;
      for (const time of own) {
        const [high, low] = [Number(time >> 32n), Number(time & 0xffff_ffffn)];
        offset = writeEnhancedPacket(bytes, view, offset, 0, high, low, CAPLEN, CAPLEN, 0, data, 0);
      }
      chunks.push({ source, at, bytes });
    }
  }
  return chunks;
}

interface Outcome {
  readonly microseconds: number;
  readonly mostWaiting: number;
  readonly late: number;
}

/** Merge all chunks as fast as that goes, on the capture's own clock. @returns what a packet cost */
function merge(nodes: number, chunks: readonly Chunk[]): Outcome {
  let clock = 0;
  let written = 0;
  let mostWaiting = 0;
  const sink: BlockSink = {
    addInterface: () => {},
    write: () => {
      written += 1;
    },
  };
  const merged = new Merge(sink, () => clock);
  const sources = Array.from({ length: nodes }, (_, index) => merged.addSource(`node-${index}`));
  // Sockets give new memory, and the merge writes into it.
  const arrived = chunks.map(({ bytes }) => bytes.slice());
  const since = performance.now();
  for (const [index, { source, at }] of chunks.entries()) {
    clock = at;
    sources[source]?.push(arrived[index] ?? new Uint8Array());
    if (merged.waitingBytes > mostWaiting) mostWaiting = merged.waitingBytes;
  }
  merged.flush();
  const microseconds = ((performance.now() - since) * 1_000) / PACKETS;
  if (written !== PACKETS) throw new Error(`${written} of ${PACKETS} packets came out`);
  return { microseconds, mostWaiting, late: merged.late };
}

/** The merge alone: what many nodes cost over one. */
export const mergeNodes: Bench = {
  name: 'merge',
  about: `the merge alone: ${NODES} nodes' pcapng streams against one stream with as many packets`,
  async run() {
    const [many, one] = [streams(NODES), streams(1)];
    const { ours, peer } = await sideBySide(
      ROUNDS,
      async () => merge(NODES, many),
      async () => merge(1, one),
    );
    const most = Math.max(...ours.map(({ mostWaiting }) => mostWaiting));
    const late = Math.max(...ours.map((outcome) => outcome.late));
    return [
      figure({
        name: `merge of ${NODES} nodes`,
        unit: 'µs/packet',
        ours: samplesOf(ours.map(({ microseconds }) => microseconds)),
        peer: samplesOf(peer.map(({ microseconds }) => microseconds)),
        against: 'one stream of as many packets, framed and written by the same merge',
        goal: { relation: '<=', ratio: GOAL },
        notes: [`at most ${(most / 1e6).toFixed(1)} MB waited for an earlier packet; ${late} packets came late`],
      }),
    ];
  },
};
