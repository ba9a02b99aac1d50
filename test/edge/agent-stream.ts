import type { AnalysisOutputKind } from '../../src/analyze/engine/output.ts';
import { AnalysisSession, type Condition } from '../../src/analyze/engine/session.ts';
import { Merge } from '../../src/capture/streams/merge.ts';
import { EdgeAnalysis } from '../../src/edge/edge-analysis.ts';
import { analysisNotes } from '../../src/run/analysis/notes.ts';
import { edgeRequest } from '../../src/run/outputs/edge.ts';
import type { EdgeRequest } from '../../src/wire/agent-protocol.ts';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { BLOCK } from '../../src/wire/pcapng.ts';
import {
  endMarker,
  enhancedPacketBytes,
  interfaceDescription,
  sectionHeader,
  startMarker,
  writeEnhancedPacket,
} from '../../src/wire/pcapng-write.ts';
import { plainSettings } from '../support/analysis-session.ts';

/** Chooses what a node has captured. */
export type OnNode = (interfaceId: number, interfaceName: string) => boolean;

/** A capture file as an agent would have sent it. @param skipped packets before it began */
export function agentStream(file: Uint8Array, onNode: OnNode = () => true, skipped = 0): Uint8Array {
  const blocks: Uint8Array[] = [sectionHeader('Linux'), startMarker()];
  /** Numbers of the node's own interfaces. */
  const numbers = new Map<number, number>();
  let packets = 0;
  const framer = new CaptureFramer({
    interface: (id, { linkType, snaplen, name, description }) => {
      if (numbers.has(id) || !onNode(id, name)) return;
      numbers.set(id, numbers.size);
      blocks.push(interfaceDescription({ linkType, snaplen, name, description }));
    },
    packet: (bytes, offset, caplen, origlen, timeHigh, timeLow, id, flags) => {
      const number = numbers.get(id);
      packets += 1;
      if (number === undefined || packets <= skipped) return;
      const block = new Uint8Array(enhancedPacketBytes(caplen, flags !== 0));
      const view = new DataView(block.buffer);
      writeEnhancedPacket(block, view, 0, number, timeHigh, timeLow, caplen, origlen, flags, bytes, offset);
      blocks.push(block);
    },
    block: ({ type, bytes, view, offset, length }) => {
      if (type !== BLOCK.interfaceStatistics) return;
      const number = numbers.get(view.getUint32(offset + 8, true));
      if (number === undefined) return;
      const block = bytes.slice(offset, offset + length);
      new DataView(block.buffer).setUint32(8, number, true);
      blocks.push(block);
    },
  });
  framer.push(file);
  blocks.push(endMarker({ version: 1, reason: 'stopped', interfaces: [] }));
  return Buffer.concat(blocks);
}

/**
 * What the analysis beside an agent makes of its stream.
 * @param chunk bytes that are handed over at a time
 * @param waiting bytes that always wait behind them @param where what `--where` says
 */
export function analysedStream(
  stream: Uint8Array,
  kind: AnalysisOutputKind,
  chunk = 65_536,
  waiting = 0,
  where?: string,
): Uint8Array {
  const written: Uint8Array[] = [];
  const edge = new EdgeAnalysis(
    edgeRequest(kind, { where, showSecrets: false }),
    (bytes) => void written.push(bytes),
    () => 0,
  );
  for (let at = 0; at < stream.length; at += chunk)
    edge.push(Uint8Array.from(stream.subarray(at, at + chunk)), waiting);
  return Buffer.concat(written);
}

/**
 * The same, where packets come at the times that they have: the clock of the analysis follows them.
 * @param alone no other agent is part of the capture @param joined another one joins it after so many packets
 * @param late after so many packets more wait than the analysis keeps up with @param request what the client asks for in place of what this one does
 */
export function analysedAsItComes(
  stream: Uint8Array,
  kind: AnalysisOutputKind,
  alone = false,
  {
    joined = Number.POSITIVE_INFINITY,
    late = Number.POSITIVE_INFINITY,
    request = {},
  }: { readonly joined?: number; readonly late?: number; readonly request?: Partial<EdgeRequest> } = {},
): Uint8Array {
  const written: Uint8Array[] = [];
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let now = 0;
  let packets = 0;
  const edge = new EdgeAnalysis(
    { ...edgeRequest(kind, { where: undefined, showSecrets: false }), alone, ...request },
    (bytes) => void written.push(bytes),
    () => now,
  );
  for (let at = 0; at < stream.length; at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) === BLOCK.enhancedPacket) {
      const time = (BigInt(view.getUint32(at + 12, true)) << 32n) | BigInt(view.getUint32(at + 16, true));
      now = Number(time / 1_000n) / 1_000;
      packets += 1;
      if (packets === joined) edge.notAlone();
    }
    const waiting = packets >= late ? 20 * 1024 * 1024 : 0;
    edge.push(Uint8Array.from(stream.subarray(at, at + view.getUint32(at + 4, true))), waiting);
  }
  return Buffer.concat(written);
}

/**
 * What a form shows of streams of one agent each, merged as a running capture merges them.
 * @param names by address, with blanks between several
 */
export function shownOf(
  kind: AnalysisOutputKind,
  streams: readonly Uint8Array[],
  json = false,
  argument?: string | undefined,
  where?: Condition | undefined,
  names: Readonly<Record<string, string>> = {},
): string[] {
  const lines: string[] = [];
  const settings = plainSettings({ line: (line) => void lines.push(line), json, argument, where, utc: true });
  // Single packets stay on their node, but for what a trace takes of them.
  const session = new AnalysisSession({ ...kind, packets: kind.traced === true }, settings);
  session.addNames(Object.entries(names).map(([address, name]) => ({ address, names: name.split(' ') })));
  const { framer } = session.capture;
  const merge = new Merge(
    {
      addInterface: (id, bytes, offset, length, { stream, index }) => {
        session.capture.found.described(stream, index, id);
        framer.pushBlock(BLOCK.interfaceDescription, bytes, offset, length);
      },
      write: (type, _id, bytes, offset, length) => framer.pushBlock(type, bytes, offset, length),
    },
    () => 0,
  );
  merge.held = true;
  const sources = streams.map((stream, index) => {
    const source = merge.addSource(`node-${index}`);
    source.push(Uint8Array.from(stream));
    return source;
  });
  for (const source of sources) source.end();
  merge.flush();
  session.end();
  return [...lines, ...analysisNotes(session).map((note) => `# ${note}`)];
}

/** The nodes of a capture, by the names of their interfaces. */
export function nodesOf(file: Uint8Array): Map<string, Set<string>> {
  const nodes = new Map<string, Set<string>>();
  const framer = new CaptureFramer({
    interface: (_id, { name, description }) => {
      const node = /(?:^| )node=(\S+)/.exec(description)?.[1] ?? '';
      const names = nodes.get(node) ?? new Set();
      names.add(name);
      nodes.set(node, names);
    },
    packet: () => {},
  });
  framer.push(file);
  return nodes;
}

/** Bytes of the packets in a stream, as captured. */
export function packetBytes(stream: Uint8Array): number {
  const view = new DataView(stream.buffer, stream.byteOffset, stream.byteLength);
  let sum = 0;
  for (let at = 0; at < stream.length; at += view.getUint32(at + 4, true)) {
    if (view.getUint32(at, true) === BLOCK.enhancedPacket) sum += view.getUint32(at + 20, true);
  }
  return sum;
}
