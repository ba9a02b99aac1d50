import { type DirectionFacts, type FlowFacts, NO_TROUBLES, type TcpFacts } from '../flow/flow-facts.ts';
import type { RepeatedConnections } from '../flow/repeated-connections.ts';
import { repeatedParts, repeatedShape } from './repeated-shape.ts';
import { amount, moment, type Shape, type Translation, WrongShape, words } from './shape.ts';

/** Characters of a protocol's name. */
const NAME_MAXIMUM = 64;

/** What all of them have in common: opened with one SYN, and closed. What differs and no count looks at is left out. */
const IN_ORDER: TcpFacts = {
  state: 'closed',
  midstream: false,
  closedBy: 'client',
  resetBy: undefined,
  handshakeRtt: undefined,
  setup: undefined,
  syns: 1,
  synSpan: undefined,
  rtt: { client: undefined, server: undefined },
  mss: [undefined, undefined],
  windowScale: [undefined, undefined],
  sack: false,
  client: NO_TROUBLES,
  server: NO_TROUBLES,
};

/** What of FlowFacts is of all connections together. `first` is when the last of them began. */
export type ConnectionsFacts = Pick<FlowFacts, 'first' | 'last' | 'client' | 'server' | 'protocol' | 'tcp'>;

/** Connections as they travel, behind whose they are: a list whose places are always the same. */
export function connectionsParts(
  { opened, clientPorts }: RepeatedConnections,
  { first, last, client, server, protocol }: Omit<ConnectionsFacts, 'tcp'>,
  now: number,
): readonly unknown[] {
  const sums = [client.packets, client.payload, server.packets, server.payload];
  return [repeatedParts(opened, now), first - now, last - now, ...sums, protocol ?? '', portsText(clientPorts)];
}

/** What connectionsParts made. @param said the connection as an exchange @throws WrongShape */
export function connectionsShape(
  said: unknown,
  parts: unknown,
  by: Translation,
): { readonly connections: RepeatedConnections; readonly facts: ConnectionsFacts } {
  if (!Array.isArray(parts) || parts.length !== 9) throw new WrongShape('no parts');
  const [repeated, first, last, clientPackets, clientPayload, serverPackets, serverPayload, protocol, ports] =
    parts as readonly unknown[];
  const opened = repeatedShape(said, repeated, by);
  const clientPorts = portsOf(ports);
  if (clientPorts.length !== opened.count) throw new WrongShape('not one port of each');
  const name = words(NAME_MAXIMUM)(protocol, by) as string;
  const direction = (packets: unknown, payload: unknown, bytes: number): DirectionFacts => ({
    packets: number(amount, packets, by),
    bytes,
    payload: number(amount, payload, by),
  });
  return {
    connections: { opened, clientPorts },
    facts: {
      first: number(moment, first, by),
      last: number(moment, last, by),
      client: direction(clientPackets, clientPayload, opened.requestBytes),
      server: direction(serverPackets, serverPayload, opened.responseBytes),
      protocol: name === '' ? undefined : name,
      tcp: IN_ORDER,
    },
  };
}

function number(shape: Shape, value: unknown, by: Translation): number {
  return shape(value, by) as number;
}

/** Two bytes each, in base64. */
function portsText(ports: readonly number[]): string {
  const bytes = Buffer.alloc(ports.length * 2);
  for (const [index, port] of ports.entries()) bytes.writeUInt16LE(port, index * 2);
  return bytes.toString('base64');
}

/** @throws WrongShape */
function portsOf(text: unknown): number[] {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new WrongShape('no ports');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 2 !== 0) throw new WrongShape('no ports');
  return Array.from({ length: bytes.length / 2 }, (_, index) => bytes.readUInt16LE(index * 2));
}
