import { isObject, type JsonObject, parseJson } from './guard.ts';
import { BLOCK, padded } from './pcapng.ts';
import type { BlockView } from './pcapng-read.ts';

/** A socket that waits for connections. */
export interface ListeningSocket {
  readonly address: string;
  readonly port: number;
  /** Connections that the program has not accepted yet. */
  readonly queue: number;
}

/** What the kernel has counted for an interface since it exists (proc(5), /proc/net/dev). */
export interface InterfaceCounts {
  readonly name: string;
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly receiveErrors: number;
  readonly receiveDropped: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
  readonly sendErrors: number;
  readonly sendDropped: number;
}

/** A pod's resolver settings (resolv.conf(5)). */
export interface ResolverState {
  readonly nameservers: readonly string[];
  /** Domains that are appended to names with fewer than `ndots` dots. */
  readonly search: readonly string[];
  readonly ndots: number;
}

/** Connections that share a translated source address and a destination: each needs a port of its own. */
export interface SnatPorts {
  readonly address: string;
  readonly destination: string;
  readonly port: number;
  readonly count: number;
}

/** The kernel's view of a network namespace at one time. A member that could not be read is left out. */
export interface NetworkState {
  /** By group and name as the kernel calls them: `Tcp RetransSegs`, `TcpExt ListenOverflows`, `Ip6 Ip6InDiscards`. */
  readonly counters: Readonly<Record<string, number>>;
  readonly interfaces?: readonly InterfaceCounts[];
  readonly listening?: readonly ListeningSocket[];
  /** Numbers of TCP sockets by state: `established`, `time-wait`. */
  readonly connections?: Readonly<Record<string, number>>;
  /** There are more sockets than were read: a port that is not listed may be open nevertheless. */
  readonly socketsCut?: true;
  readonly conntrack?: { readonly count: number; readonly maximum: number };
  readonly resolver?: ResolverState;
  /** Ports that the kernel gives to outgoing connections. */
  readonly portRange?: { readonly first: number; readonly last: number };
  /** Of a node: the most used pairs of translated address and destination. */
  readonly snatPorts?: readonly SnatPorts[];
}

/** A state with where and when it was taken. */
export interface TimedState {
  readonly interfaceId: number;
  /** Nanoseconds since 1970. */
  readonly time: bigint;
  readonly state: NetworkState;
}

/** Longest JSON of a state, bytes: what is longer is not written and not read. */
export const STATE_MAXIMUM = 1_048_576;

const VERSION = 1;
/** Type, length, interface, time (two words as in packets and statistics), version, length of the JSON. */
const HEAD_BYTES = 28;

/**
 * A state as a local-use block: Wireshark, tshark and tcpdump pass over it, editcap and mergecap leave it out. Interface and
 * time lie where those of statistics do. Undefined where it is too long.
 */
export function stateBlock({ interfaceId, time, state }: TimedState): Uint8Array | undefined {
  const json = Buffer.from(JSON.stringify(state), 'utf8');
  if (json.length > STATE_MAXIMUM) return undefined;
  const block = Buffer.alloc(HEAD_BYTES + padded(json.length) + 4);
  block.writeUInt32LE(BLOCK.ksnoopState, 0);
  block.writeUInt32LE(block.length, 4);
  block.writeUInt32LE(interfaceId, 8);
  block.writeUInt32LE(Number(time >> 32n), 12);
  block.writeUInt32LE(Number(time & 0xffff_ffffn), 16);
  block.writeUInt32LE(VERSION, 20);
  block.writeUInt32LE(json.length, 24);
  json.copy(block, HEAD_BYTES);
  block.writeUInt32LE(block.length, block.length - 4);
  return block;
}

/** Read a state's block; undefined where it is of another version, too long or damaged. */
export function stateOf({ view, bytes, offset, length, littleEndian }: BlockView): TimedState | undefined {
  if (length < HEAD_BYTES + 4 || view.getUint32(offset + 20, littleEndian) !== VERSION) return undefined;
  const size = view.getUint32(offset + 24, littleEndian);
  if (size > STATE_MAXIMUM || HEAD_BYTES + size > length - 4) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + offset + HEAD_BYTES, size).toString('utf8');
  const state = networkState(text);
  if (state === undefined) return undefined;
  const time =
    (BigInt(view.getUint32(offset + 12, littleEndian)) << 32n) | BigInt(view.getUint32(offset + 16, littleEndian));
  return { interfaceId: view.getUint32(offset + 8, littleEndian), time, state };
}

/** JSON of a file as a state: only what has the expected types is taken. */
function networkState(text: string): NetworkState | undefined {
  let value: unknown;
  try {
    value = parseJson(text, 'network state');
  } catch {
    return undefined;
  }
  if (!isObject(value)) return undefined;
  const conntrack = numbers(value.conntrack);
  const range = numbers(value.portRange);
  return {
    counters: numbers(value.counters) ?? {},
    ...(Array.isArray(value.interfaces) && { interfaces: value.interfaces.flatMap(interfaceCounts) }),
    ...(Array.isArray(value.listening) && { listening: value.listening.flatMap(listeningSocket) }),
    ...(isObject(value.connections) && { connections: numbers(value.connections) ?? {} }),
    ...(value.socketsCut === true && { socketsCut: true }),
    ...(conntrack?.count !== undefined &&
      conntrack.maximum !== undefined && { conntrack: { count: conntrack.count, maximum: conntrack.maximum } }),
    ...(isObject(value.resolver) && { resolver: resolverState(value.resolver) }),
    ...(range?.first !== undefined &&
      range.last !== undefined && { portRange: { first: range.first, last: range.last } }),
    ...(Array.isArray(value.snatPorts) && { snatPorts: value.snatPorts.flatMap(snatPorts) }),
  };
}

function numbers(value: unknown): Record<string, number> | undefined {
  if (!isObject(value)) return undefined;
  const taken: [string, number][] = [];
  for (const [name, number] of Object.entries(value)) if (isCount(number)) taken.push([name, number]);
  return Object.fromEntries(taken);
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function interfaceCounts(value: unknown): InterfaceCounts[] {
  if (!isObject(value) || typeof value.name !== 'string') return [];
  const of = (key: keyof InterfaceCounts) => (isCount(value[key]) ? value[key] : 0);
  return [
    {
      name: value.name,
      receivedBytes: of('receivedBytes'),
      receivedPackets: of('receivedPackets'),
      receiveErrors: of('receiveErrors'),
      receiveDropped: of('receiveDropped'),
      sentBytes: of('sentBytes'),
      sentPackets: of('sentPackets'),
      sendErrors: of('sendErrors'),
      sendDropped: of('sendDropped'),
    },
  ];
}

function resolverState({ nameservers, search, ndots }: JsonObject): ResolverState {
  return { nameservers: strings(nameservers), search: strings(search), ndots: isCount(ndots) ? ndots : 1 };
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}

function snatPorts(value: unknown): SnatPorts[] {
  if (!isObject(value)) return [];
  const { address, destination, port, count } = value;
  if (typeof address !== 'string' || typeof destination !== 'string' || !isCount(port) || !isCount(count)) return [];
  return [{ address, destination, port, count }];
}

function listeningSocket(value: unknown): ListeningSocket[] {
  if (!isObject(value)) return [];
  const { address, port, queue } = value;
  return typeof address === 'string' && isCount(port) && isCount(queue) ? [{ address, port, queue }] : [];
}
