import { DATAGRAM_PROTOCOLS, STREAM_PROTOCOLS } from './index.ts';

const TITLES: ReadonlyMap<string, string> = new Map([
  ...[...STREAM_PROTOCOLS, ...DATAGRAM_PROTOCOLS].map(({ name, title }) => [name, title] as const),
  ['grpc', 'gRPC'],
  ['tcp', 'TCP'],
  ['udp', 'UDP'],
  ['sctp', 'SCTP'],
  ['icmp', 'ICMP'],
  ['icmpv6', 'ICMPv6'],
  ['ip', 'IP'],
]);

/** A protocol's name for people: `http` is `HTTP`; undefined for one that is not decoded. */
export function protocolTitle(name: string): string | undefined {
  return TITLES.get(name);
}
