import { addressText } from '../../wire/address-text.ts';
import { joinedBytes } from '../../wire/bytes.ts';
import { u8, u16 } from '../bytes.ts';
import { type Incomplete, SIDE, type Side } from '../record/event.ts';
import { latin1 } from '../record/text.ts';
import { oneLine } from './one-line.ts';
import type { Likeness, StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from './protocol.ts';
import { protocolLost } from './protocol-lost.ts';

/** RFC 1928, section 3, and RFC 1929. */
const VERSION_5 = 5;
const VERSION_4 = 4;
const METHOD = { none: 0, password: 2, refused: 0xff } as const;
/** Methods that IANA has given out, and no more in one greeting. */
const METHOD_MAXIMUM = 9;
const ADDRESS = { ipv4: 1, name: 3, ipv6: 4 } as const;
const COMMANDS: readonly (string | undefined)[] = [undefined, 'CONNECT', 'BIND', 'UDP ASSOCIATE'];
/** Replies of version 5 by number (RFC 1928, section 6), of version 4 by the second half of theirs (from 90 on). */
const REPLIES_5 = [
  'granted',
  'general failure',
  'not allowed',
  'network unreachable',
  'host unreachable',
  'connection refused',
  'TTL expired',
  'command not supported',
  'address type not supported',
];
const REPLIES_4 = ['granted', 'rejected', 'no identd', 'identd disagrees'];
const GRANTED_4 = 90;
/** Bytes of a handshake that are kept of one side: user name, password, host name and what is around them. */
const KEPT_MAXIMUM = 1200;
const USER_MAXIMUM = 255;

/** Of a message that has not come whole. */
const MORE = -1;
/** The length that stands for "not a message of this protocol". */
const NONE = -2;

function likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  const version = u8(bytes, start);
  if (version === VERSION_5) {
    if (available < 2) return 'more';
    const count = u8(bytes, start + 1);
    if (count === 0 || count > METHOD_MAXIMUM || available > 2 + count) return 'no';
    for (let at = start + 2; at < end; at += 1) if (u8(bytes, at) > METHOD_MAXIMUM) return 'no';
    return available === 2 + count ? 'client' : 'more';
  }
  if (version !== VERSION_4) return 'no';
  if (available > 1 && u8(bytes, start + 1) !== 1 && u8(bytes, start + 1) !== 2) return 'no';
  if (available < 9) return available === 1 ? 'more' : available > 3 && u16(bytes, start + 2) === 0 ? 'no' : 'more';
  // A port, an address, a user name, and nothing behind them.
  const own = bytes.subarray(start, end);
  return u16(bytes, start + 2) !== 0 && request4(own) === available ? 'client' : 'no';
}

/** Where a request of version 4 or 4a ends. */
function request4(bytes: Uint8Array): number {
  if (bytes.length < 9) return MORE;
  const user = textEnd(bytes, 8);
  // 4a: an address that cannot be, and a host name (openssh.com, socks4a.protocol).
  if (user < 0 || !isNamed4(bytes)) return user;
  return textEnd(bytes, user);
}

function isNamed4(bytes: Uint8Array): boolean {
  return u16(bytes, 4) === 0 && u8(bytes, 6) === 0 && u8(bytes, 7) !== 0;
}

/** Behind the zero that ends a text. */
function textEnd(bytes: Uint8Array, start: number): number {
  for (let at = start; at < bytes.length; at += 1) {
    const byte = u8(bytes, at);
    if (byte === 0) return at + 1;
    if (byte < 0x20 || byte > 0x7e || at - start >= USER_MAXIMUM) return NONE;
  }
  return MORE;
}

/** Where a request or reply of version 5 ends: both have an address at 3. */
function message5(bytes: Uint8Array): number {
  if (bytes.length < 5) return MORE;
  if (u8(bytes, 0) !== VERSION_5) return NONE;
  const type = u8(bytes, 3);
  const length =
    type === ADDRESS.ipv4 ? 4 : type === ADDRESS.ipv6 ? 16 : type === ADDRESS.name ? 1 + u8(bytes, 4) : NONE;
  if (length === NONE) return NONE;
  return bytes.length < 6 + length ? MORE : 6 + length;
}

/** What a request asks the proxy to do. */
interface Wanted {
  readonly version: number;
  readonly command: string;
  readonly host: string;
  readonly port: number;
  readonly time: number;
  readonly end: number;
  readonly bytes: number;
}

/** The handshake of SOCKS 4, 4a or 5: behind it the connection is recognised anew. */
class Socks implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #kept: [Uint8Array, Uint8Array] = [new Uint8Array(0), new Uint8Array(0)];
  /** When the bytes kept of each side began to come. */
  readonly #since: [number, number] = [0, 0];
  #version = 0;
  /** What comes next of version 5: the choice of a method, the check of a password, the request. */
  #at: 'choice' | 'password' | 'request' = 'choice';
  #greeted = false;
  #requested = false;
  #wanted: Wanted | undefined;
  #over = false;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    if (this.#over) return;
    const kept = this.#kept[side];
    if (kept.length === 0) this.#since[side] = this.#context.now;
    this.#kept[side] = joinedBytes([kept, bytes.subarray(start, end)]);
    while (this.#step()) {}
    if (!this.#over && this.#kept[side].length > KEPT_MAXIMUM) this.#lose(side, 'a message too long');
  }

  gap(side: Side): void {
    if (!this.#over) this.#lose(side, 'bytes were not captured');
  }

  end(how: StreamEnd): void {
    if (this.#wanted === undefined || this.#over) return;
    const reasons: Partial<Record<StreamEnd, Incomplete>> = {
      closed: 'no response',
      reset: 'reset',
      'capture ended': 'capture ended',
    };
    this.#emit(this.#wanted, undefined, 0, reasons[how] ?? 'unknown');
  }

  /** Take the next message that is whole. @returns whether there was one, and another may be */
  #step(): boolean {
    if (this.#over) return false;
    if (this.#wanted !== undefined) return this.#reply();
    const client = this.#kept[SIDE.client];
    if (this.#version === 0 && client.length > 0) this.#version = u8(client, 0);
    if (this.#version === VERSION_4) return this.#take(SIDE.client, request4(client), () => this.#want(client, 1));
    if (this.#version !== VERSION_5) return false;
    if (this.#at === 'request') return this.#take(SIDE.client, message5(client), () => this.#want(client, 1));
    return this.#at === 'choice' ? this.#choice(client) : this.#password(client);
  }

  #choice(client: Uint8Array): boolean {
    if (!this.#greeted) {
      const length = client.length < 2 ? MORE : 2 + u8(client, 1);
      return this.#take(SIDE.client, length <= client.length ? length : MORE, () => {
        this.#greeted = true;
      });
    }
    const server = this.#kept[SIDE.server];
    return this.#take(SIDE.server, server.length < 2 ? MORE : u8(server, 0) === VERSION_5 ? 2 : NONE, () => {
      const method = u8(server, 1);
      if (method === METHOD.none) this.#at = 'request';
      else if (method === METHOD.password) this.#at = 'password';
      else this.#lose(SIDE.server, method === METHOD.refused ? 'no method was accepted' : `method ${method}`);
    });
  }

  #password(client: Uint8Array): boolean {
    if (!this.#requested) {
      const name = client.length < 2 ? MORE : 2 + u8(client, 1);
      const end = name < 0 || client.length <= name ? MORE : name + 1 + u8(client, name);
      return this.#take(SIDE.client, end <= client.length ? end : MORE, () => {
        this.#requested = true;
      });
    }
    const server = this.#kept[SIDE.server];
    return this.#take(SIDE.server, server.length < 2 ? MORE : 2, () => {
      if (u8(server, 1) === 0) this.#at = 'request';
      else this.#lose(SIDE.server, 'the password was refused');
    });
  }

  /** @param length where the message ends in what is kept of a side, MORE or NONE */
  #take(side: Side, length: number, use: () => void): boolean {
    if (length === NONE) this.#lose(side, 'no message of it');
    if (length < 0) return false;
    use();
    if (this.#over) return false;
    this.#kept[side] = this.#kept[side].slice(length);
    return true;
  }

  #want(bytes: Uint8Array, commandAt: number): void {
    const isVersion4 = this.#version === VERSION_4;
    const length = isVersion4 ? request4(bytes) : message5(bytes);
    this.#wanted = {
      version: this.#version,
      command: COMMANDS[u8(bytes, commandAt)] ?? `command ${u8(bytes, commandAt)}`,
      host: oneLine(isVersion4 ? host4(bytes) : host5(bytes)),
      port: isVersion4 ? u16(bytes, 2) : u16(bytes, length - 2),
      time: this.#since[SIDE.client],
      end: this.#context.now,
      bytes: length,
    };
  }

  #reply(): boolean {
    const wanted = this.#wanted as Wanted;
    const server = this.#kept[SIDE.server];
    const isVersion4 = wanted.version === VERSION_4;
    const length = isVersion4 ? (server.length < 8 ? MORE : u8(server, 0) === 0 ? 8 : NONE) : message5(server);
    if (length === NONE) this.#lose(SIDE.server, 'no reply of it');
    if (length < 0) return false;
    const code = u8(server, 1) - (isVersion4 ? GRANTED_4 : 0);
    this.#emit(wanted, (isVersion4 ? REPLIES_4 : REPLIES_5)[code] ?? `reply ${u8(server, 1)}`, length);
    const rests = [this.#kept[SIDE.client], server.slice(length)] as const;
    this.#over = true;
    const { host, port, version } = wanted;
    this.#context.annotate({ socks: { version, host, port } });
    const next = this.#context.become(undefined);
    for (const side of [SIDE.client, SIDE.server]) {
      const rest = rests[side];
      if (rest.length > 0) next.data(side, rest, 0, rest.length);
    }
    return false;
  }

  #emit(wanted: Wanted, status: string | undefined, replyBytes: number, incomplete?: Incomplete): void {
    const { version, command, host, port, time, end: requestEnd, bytes } = wanted;
    const label = `${command} ${host.includes(':') ? `[${host}]` : host}:${port}`;
    const isUnknown = incomplete === 'capture ended' || incomplete === 'unknown';
    this.#context.emit({
      kind: 'exchange',
      protocol: 'socks',
      label,
      time,
      requestEnd,
      responseTime: status === undefined ? undefined : this.#since[SIDE.server],
      responseEnd: status === undefined ? undefined : this.#context.now,
      requestBytes: bytes,
      responseBytes: replyBytes,
      status: status ?? '',
      failed: status === undefined ? !isUnknown : status !== 'granted',
      route: label,
      incomplete,
      fields: { socks: { version, command, host, port, reply: status } },
    });
  }

  /** What follows cannot be followed: the connection is recognised anew from the next bytes on. */
  #lose(side: Side, why: string): void {
    this.#over = true;
    const { now: time, offset: position } = this.#context;
    const next = 'the connection is recognised anew';
    this.#context.emit(protocolLost({ protocol: 'socks', title: 'SOCKS', side, position, time, why, next }));
    this.#context.become(undefined);
  }
}

function host4(bytes: Uint8Array): string {
  if (!isNamed4(bytes)) return addressText(bytes, 4, 4);
  return latin1(bytes, textEnd(bytes, 8), request4(bytes) - 1);
}

function host5(bytes: Uint8Array): string {
  const type = u8(bytes, 3);
  if (type === ADDRESS.name) return latin1(bytes, 5, 5 + u8(bytes, 4));
  return addressText(bytes, 4, type === ADDRESS.ipv4 ? 4 : 16);
}

/** SOCKS 4, 4a and 5 (RFC 1928): a client asks a proxy for a connection; what is in it is decoded. */
export const socks: StreamProtocol = {
  name: 'socks',
  title: 'SOCKS',
  ports: [1080],
  fields: {
    'socks.version': { type: 'int', about: '4 or 5' },
    'socks.command': { type: 'string', about: '`CONNECT`, `BIND` or `UDP ASSOCIATE`' },
    'socks.host': {
      type: 'string',
      about: 'host or address that the client wants; with version and port in every record of the connection behind it',
    },
    'socks.port': { type: 'int', about: 'port that the client wants' },
    'socks.reply': { type: 'string', about: "the proxy's reply: `granted`, `connection refused`" },
  },
  probe: likeness,
  create: (context) => new Socks(context),
};
