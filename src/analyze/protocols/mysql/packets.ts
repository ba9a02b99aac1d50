import { u8 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';
import type { Likeness } from '../protocol.ts';

/** Before each packet: its length in three octets and its number (MySQL Source Code Documentation, "MySQL Packets"). */
export const PACKET_HEADER = 4;
/** A packet of this length goes on in the next. */
export const PACKET_FULL = 0xff_ffff;

/** First octets of what a server answers. */
export const ANSWER = { ok: 0, moreData: 1, localInfile: 0xfb, end: 0xfe, error: 0xff } as const;

/** Capabilities that change what follows ("Capabilities Flags"). */
export const CAPABILITY = {
  connectWithDatabase: 0x8,
  compress: 0x20,
  protocol41: 0x200,
  ssl: 0x800,
  secureConnection: 0x8000,
  lengthEncodedAuthentication: 0x20_0000,
  zstd: 0x400_0000,
  queryAttributes: 0x800_0000,
} as const;

/** Commands that are told by name ("Command Phase"). */
export const COMMAND: Readonly<Record<number, string>> = {
  1: 'QUIT',
  2: 'INIT_DB',
  3: 'QUERY',
  4: 'FIELD_LIST',
  9: 'STATISTICS',
  10: 'PROCESS_INFO',
  12: 'PROCESS_KILL',
  13: 'DEBUG',
  14: 'PING',
  17: 'CHANGE_USER',
  18: 'BINLOG_DUMP',
  22: 'STMT_PREPARE',
  23: 'STMT_EXECUTE',
  24: 'STMT_SEND_LONG_DATA',
  25: 'STMT_CLOSE',
  26: 'STMT_RESET',
  27: 'SET_OPTION',
  28: 'STMT_FETCH',
  31: 'RESET_CONNECTION',
  250: 'STMT_BULK_EXECUTE',
};

export function u16le(bytes: Uint8Array, at: number): number {
  return u8(bytes, at) | (u8(bytes, at + 1) << 8);
}

export function u24le(bytes: Uint8Array, at: number): number {
  return u16le(bytes, at) | (u8(bytes, at + 2) << 16);
}

/** As int32: for numbers that are only compared, and for flags. */
export function i32le(bytes: Uint8Array, at: number): number {
  return u24le(bytes, at) | (u8(bytes, at + 3) << 24);
}

/** A length-encoded integer, and where it ends. Reused: read it at once. */
export class LengthEncoded {
  value = 0;
  end = 0;

  /** @returns false where there is none, or too little of it */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    if (at >= end) return false;
    const first = u8(bytes, at);
    const octets = first < 0xfb ? 0 : first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : -1;
    if (octets < 0 || at + 1 + octets > end) return false;
    this.value = first;
    if (octets > 0) {
      this.value = 0;
      for (let index = octets; index > 0; index -= 1) this.value = this.value * 256 + u8(bytes, at + index);
    }
    this.end = at + 1 + octets;
    return true;
  }
}

const number = new LengthEncoded();

/** What an OK or EOF packet says. @param start of its payload @param length of the whole payload */
export function okFacts(
  bytes: Uint8Array,
  start: number,
  end: number,
  length: number,
): { affected: number; more: boolean } {
  // EOF: warnings, status. OK: rows changed, an id, status, warnings.
  if (length === 5) return { affected: 0, more: end - start >= 5 && (u16le(bytes, start + 3) & MORE_RESULTS) !== 0 };
  if (!number.read(bytes, start + 1, end)) return { affected: 0, more: false };
  const affected = number.value;
  if (!number.read(bytes, number.end, end) || number.end + 2 > end) return { affected, more: false };
  return { affected, more: (u16le(bytes, number.end) & MORE_RESULTS) !== 0 };
}

/** SERVER_MORE_RESULTS_EXISTS */
const MORE_RESULTS = 8;

export interface SqlError {
  readonly code: number;
  readonly sqlstate: string;
  readonly message: string;
}

/** An ERR packet's words. */
export function errorOf(bytes: Uint8Array, start: number, end: number): SqlError {
  const code = end - start >= 3 ? u16le(bytes, start + 1) : 0;
  const marked = end - start >= 9 && u8(bytes, start + 3) === 0x23;
  const sqlstate = marked ? utf8(bytes, start + 4, start + 9) : '';
  return { code, sqlstate, message: utf8(bytes, start + (marked ? 9 : 3), end) };
}

/** A text that ends with a zero octet, or with the packet; and where it ends. */
function zeroEnded(bytes: Uint8Array, start: number, end: number): { text: string; end: number } {
  let at = start;
  while (at < end && bytes[at] !== 0) at += 1;
  return { text: utf8(bytes, start, at), end: Math.min(end, at + 1) };
}

/** What a login says ("HandshakeResponse41"). @param start of its payload */
export function loginOf(
  bytes: Uint8Array,
  start: number,
  end: number,
): { capabilities: number; user: string; database: string } {
  const capabilities = end - start >= 4 ? i32le(bytes, start) : 0;
  if (!(capabilities & CAPABILITY.protocol41) || end - start < 33) return { capabilities, user: '', database: '' };
  const user = zeroEnded(bytes, start + 32, end);
  let at = user.end;
  if (capabilities & CAPABILITY.lengthEncodedAuthentication)
    at = number.read(bytes, at, end) ? number.end + number.value : end;
  else if (capabilities & CAPABILITY.secureConnection) at = at < end ? at + 1 + u8(bytes, at) : end;
  else at = zeroEnded(bytes, at, end).end;
  const named = capabilities & CAPABILITY.connectWithDatabase && at < end;
  return { capabilities, user: user.text, database: named ? zeroEnded(bytes, at, end).text : '' };
}

const STATEMENT =
  /^[\s(]*(?:\/\*|--|#|select|insert|update|delete|replace|set|show|begin|start|commit|rollback|create|drop|alter|use|call|with|explain|desc|truncate|grant|revoke|lock|unlock|load|prepare|execute|analyze|optimize|flush|kill)/i;

/** A server's greeting; a statement alone in a segment. */
export function mysqlLikeness(bytes: Uint8Array, start: number, end: number): Likeness {
  const available = end - start;
  if (available < 6)
    return available >= 4 && u8(bytes, start + 3) !== 0
      ? 'no'
      : available < 4 && u8(bytes, start + 2) === 0
        ? 'more'
        : 'no';
  const length = u24le(bytes, start);
  if (u8(bytes, start + 3) !== 0 || length < 2) return 'no';
  const first = u8(bytes, start + 4);
  if (first === 10) {
    if (length < 40 || length > 512) return 'no';
    const { text, end: textEnd } = zeroEnded(bytes, start + 5, Math.min(end, start + 105));
    return /^\d+\.\d+[\w.+~:-]*$/.test(text) && textEnd < end ? 'server' : 'no';
  }
  if ((first !== 3 && first !== 22) || length !== available - PACKET_HEADER) return 'no';
  return STATEMENT.test(utf8(bytes, start + 5, Math.min(end, start + 69))) ? 'client' : 'no';
}
