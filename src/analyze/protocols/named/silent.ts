import type { DatagramAnalyzer, DatagramProtocol, Likeness, StreamAnalyzer, StreamProtocol } from '../protocol.ts';

const STREAM: StreamAnalyzer = { data: () => undefined, gap: () => undefined, end: () => undefined };
const DATAGRAMS: DatagramAnalyzer = { datagram: () => undefined, endFlow: () => undefined, end: () => undefined };

/** What is recognised on UDP, named, and not decoded. */
export function namedOnUdp(about: Pick<DatagramProtocol, 'name' | 'title' | 'ports' | 'probe'>): DatagramProtocol {
  return { ...about, fields: {}, isNamedOnly: true, create: () => DATAGRAMS };
}

/** What is recognised on TCP, named, and not decoded. */
export function namedOnTcp(about: {
  readonly name: string;
  readonly title: string;
  readonly ports: readonly number[];
  probe(bytes: Uint8Array, start: number, end: number): Likeness;
}): StreamProtocol {
  return { ...about, fields: {}, isNamedOnly: true, create: () => STREAM };
}
