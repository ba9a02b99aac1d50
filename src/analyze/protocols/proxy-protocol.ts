import { addressText } from '../../wire/address-text.ts';
import { u8, u16 } from '../bytes.ts';
import { type Fields, SIDE, type Side } from '../record/event.ts';
import { latin1 } from '../record/text.ts';
import { oneLine } from './one-line.ts';
import type { Likeness, StreamAnalyzer, StreamContext, StreamProtocol } from './protocol.ts';

/** The PROXY protocol's specification (haproxy.org, proxy-protocol.txt), sections 2.1 and 2.2. */
const V1 = 'PROXY ';
const V1_MAXIMUM = 107;
const V2 = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a);
const V2_HEADER = 16;
/** Bytes of a header of version 2 that are believed; its extensions take some hundreds. */
const V2_MAXIMUM = 8192;
const FAMILY = { ipv4: 1, ipv6: 2 } as const;
/** Type of the extension that holds the host name the client asked for. */
const AUTHORITY = 2;
const AUTHORITY_MAXIMUM = 255;
const LF = 10;
const CR = 13;

/** The client's address by the header, and the destination it connected to. */
interface Named {
  readonly version: number;
  readonly client?: string | undefined;
  readonly clientPort?: number | undefined;
  readonly server?: string | undefined;
  readonly serverPort?: number | undefined;
  readonly authority?: string | undefined;
}

function likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  const isV1 = bytes[start] === V1.charCodeAt(0);
  const length = isV1 ? V1.length : V2.length;
  for (let index = 0; index < Math.min(available, length); index += 1) {
    if (bytes[start + index] !== (isV1 ? V1.charCodeAt(index) : V2[index])) return 'no';
  }
  if (available <= length) return 'more';
  const next = u8(bytes, start + length);
  // Of version 1: TCP4, TCP6 or UNKNOWN.
  const isKnown = isV1 ? next === 0x54 || next === 0x55 : (next & 0xf0) === 0x20;
  return isKnown && headerEnd(bytes.subarray(start, end)) >= 0 ? 'client' : 'no';
}

/** Where a header ends; 0 when it is not complete yet, -1 when it is invalid. */
function headerEnd(bytes: Uint8Array): number {
  if (bytes[0] === V1.charCodeAt(0)) {
    const end = bytes.subarray(0, V1_MAXIMUM).indexOf(LF);
    if (end < 0) return bytes.length < V1_MAXIMUM ? 0 : -1;
    return bytes[end - 1] === CR ? end + 1 : -1;
  }
  if (bytes.length < V2_HEADER) return 0;
  const length = V2_HEADER + u16(bytes, 14);
  if (length > V2_MAXIMUM) return -1;
  return length <= bytes.length ? length : 0;
}

/** @param header a whole one @returns undefined when its line has no valid addresses */
function readHeader(header: Uint8Array): Named | undefined {
  return header[0] === V1.charCodeAt(0) ? readV1(latin1(header, 0, header.length - 2)) : readV2(header);
}

/** @returns undefined when the line has no valid addresses */
function readV1(line: string): Named | undefined {
  const [, family, client = '', server = '', clientPort, serverPort] = line.split(' ');
  if (family === 'UNKNOWN') return { version: 1 };
  const known = family === 'TCP4' || family === 'TCP6';
  if (!known || !isAddress(client) || !isAddress(server)) return undefined;
  return { version: 1, client, server, clientPort: portOf(clientPort), serverPort: portOf(serverPort) };
}

/** What may stand in a line for an address: it is shown as it is, and not parsed. */
function isAddress(text: string): boolean {
  return /^[0-9a-fA-F:.]{2,45}$/.test(text);
}

function portOf(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,5}$/.test(text) ? Number(text) : undefined;
}

/** @param bytes a whole header */
function readV2(bytes: Uint8Array): Named {
  // LOCAL: the proxy speaks for itself.
  if ((u8(bytes, 12) & 0xf) === 0) return { version: 2 };
  const family = u8(bytes, 13) >> 4;
  const length = family === FAMILY.ipv4 ? 4 : family === FAMILY.ipv6 ? 16 : 0;
  const extensions = V2_HEADER + 2 * length + (length === 0 ? 0 : 4);
  if (length === 0 || extensions > bytes.length) return { version: 2 };
  return {
    version: 2,
    client: addressText(bytes, V2_HEADER, length),
    server: addressText(bytes, V2_HEADER + length, length),
    clientPort: u16(bytes, V2_HEADER + 2 * length),
    serverPort: u16(bytes, V2_HEADER + 2 * length + 2),
    authority: authorityOf(bytes, extensions),
  };
}

/** Extensions are a type, a length of two bytes, a value. */
function authorityOf(bytes: Uint8Array, start: number): string | undefined {
  for (let at = start; at + 3 <= bytes.length; ) {
    const end = at + 3 + u16(bytes, at + 1);
    if (end > bytes.length) return undefined;
    if (u8(bytes, at) === AUTHORITY) return oneLine(latin1(bytes, at + 3, Math.min(end, at + 3 + AUTHORITY_MAXIMUM)));
    at = end;
  }
  return undefined;
}

/** Reads the header; behind it the connection is recognised anew. */
class ProxyProtocol implements StreamAnalyzer {
  readonly #context: StreamContext;
  #kept: Uint8Array = new Uint8Array(0);
  #time: number | undefined;
  /** Bytes of the server before the header had come whole. */
  #passed = 0;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (side === SIDE.server) {
      this.#passed += end - start;
      return;
    }
    this.#time ??= this.#context.now;
    const before = this.#kept.length;
    const kept = new Uint8Array(before + end - start);
    kept.set(this.#kept);
    kept.set(bytes.subarray(start, end), before);
    let length = headerEnd(kept);
    if (length === 0) {
      this.#kept = kept;
      return;
    }
    let at = 0;
    // A header behind a header is read here: recognised anew, thousands in one segment would be as many calls within calls.
    while (length > 0) {
      const named = readHeader(kept.subarray(at, at + length));
      if (named !== undefined) this.#emit(named);
      at += length;
      length = likeness(kept, at, kept.length) === 'client' ? headerEnd(kept.subarray(at)) : 0;
    }
    const next = this.#redetect();
    // For what is not a header all bytes are searched; of what came before this call only gaps are known.
    const from = at === 0 ? start : start + at - before;
    if (from < end) next.data(SIDE.client, bytes, from, end);
  }

  gap(side: Side, length: number): void {
    if (side === SIDE.server) this.#passed += length;
    else this.#redetect().gap(side, length);
  }

  end(): void {}

  #redetect(): StreamAnalyzer {
    const next = this.#context.become(undefined);
    if (this.#passed > 0) next.gap(SIDE.server, this.#passed);
    return next;
  }

  #emit(named: Named): void {
    const { version, client, clientPort } = named;
    const proxy: Fields = { ...named };
    const port =
      clientPort === undefined ? '' : client?.includes(':') === true ? ` port ${clientPort}` : `:${clientPort}`;
    const whom = client === undefined ? 'no client named' : `client ${client}${port}`;
    this.#context.annotate({ proxy });
    this.#context.emit({
      kind: 'event',
      protocol: 'proxy',
      code: 'PROXY_CLIENT',
      label: `v${version} ${whom}`,
      time: this.#time ?? this.#context.now,
      from: SIDE.client,
      failed: false,
      fields: { proxy },
    });
  }
}

/** The PROXY protocol, versions 1 and 2: before any other protocol, a proxy states for which client it connects. */
export const proxyProtocol: StreamProtocol = {
  name: 'proxy',
  title: 'PROXY',
  ports: [],
  fields: {
    'proxy.version': { type: 'int', about: 'version of the PROXY protocol: 1 or 2' },
    'proxy.client': {
      type: 'string',
      about: 'address of the client for which a proxy connected; in every record of the connection, as the others here',
    },
    'proxy.clientPort': { type: 'int', about: "that client's port" },
    'proxy.server': { type: 'string', about: 'address to which that client connected' },
    'proxy.serverPort': { type: 'int', about: 'port to which that client connected' },
    'proxy.authority': { type: 'string', about: 'host name that the client asked for (version 2)' },
  },
  probe: likeness,
  create: (context) => new ProxyProtocol(context),
};
