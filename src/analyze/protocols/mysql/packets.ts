import { u8 } from '../../bytes.ts';
import { utf8 } from '../../record/text.ts';

/** Before each packet: its length in three bytes and its number (MySQL Source Code Documentation, "MySQL Packets"). */
export const PACKET_HEADER = 4;
/** A packet of this length continues in the next. */
export const PACKET_FULL = 0xff_ffff;

/** First bytes of what a server answers. */
export const ANSWER = { ok: 0, moreData: 1, localInfile: 0xfb, end: 0xfe, error: 0xff } as const;

/** Capabilities that change what follows ("Capabilities Flags"). */
export const CAPABILITY = {
  connectWithDatabase: 0x8,
  compress: 0x20,
  protocol41: 0x200,
  ssl: 0x800,
  secureConnection: 0x8000,
  deprecateEof: 0x100_0000,
  optionalMetadata: 0x200_0000,
  lengthEncodedAuthentication: 0x20_0000,
  zstd: 0x400_0000,
  queryAttributes: 0x800_0000,
} as const;

/** Names of commands ("Command Phase"). */
export const COMMAND: Readonly<Record<number, string>> = {
  1: 'QUIT',
  2: 'INIT_DB',
  3: 'QUERY',
  4: 'FIELD_LIST',
  // MariaDB's clients send these still: mariadb-admin create, drop, refresh and shutdown.
  5: 'CREATE_DB',
  6: 'DROP_DB',
  7: 'REFRESH',
  8: 'SHUTDOWN',
  9: 'STATISTICS',
  10: 'PROCESS_INFO',
  12: 'PROCESS_KILL',
  13: 'DEBUG',
  14: 'PING',
  17: 'CHANGE_USER',
  18: 'BINLOG_DUMP',
  21: 'REGISTER_SLAVE',
  22: 'STMT_PREPARE',
  23: 'STMT_EXECUTE',
  24: 'STMT_SEND_LONG_DATA',
  25: 'STMT_CLOSE',
  26: 'STMT_RESET',
  27: 'SET_OPTION',
  28: 'STMT_FETCH',
  30: 'BINLOG_DUMP_GTID',
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

  /** @returns false where it is missing or incomplete */
  read(bytes: Uint8Array, at: number, end: number): boolean {
    if (at >= end) return false;
    const first = u8(bytes, at);
    const size = first < 0xfb ? 0 : first === 0xfc ? 2 : first === 0xfd ? 3 : first === 0xfe ? 8 : -1;
    if (size < 0 || at + 1 + size > end) return false;
    this.value = first;
    if (size > 0) {
      this.value = 0;
      for (let index = size; index > 0; index -= 1) this.value = this.value * 256 + u8(bytes, at + index);
    }
    this.end = at + 1 + size;
    return true;
  }
}

const number = new LengthEncoded();

/** Flags of the server's status that change what follows ("SERVER_STATUS_flags_enum"). */
const STATUS = { moreResults: 0x8, cursorExists: 0x40 } as const;

/** The contents of an OK or EOF packet. */
export interface OkFacts {
  readonly affected: number;
  /** Another result follows. */
  readonly more: boolean;
  /** The rows wait at the server to be fetched. */
  readonly cursor: boolean;
}

/** @param start of the packet's payload @param length of the whole payload */
export function okFacts(bytes: Uint8Array, start: number, end: number, length: number): OkFacts {
  // EOF: warnings, status. OK: rows changed, an id, status, warnings.
  if (length === EOF_LENGTH) return facts(0, end - start >= EOF_LENGTH ? u16le(bytes, start + 3) : 0);
  if (!number.read(bytes, start + 1, end)) return facts(0, 0);
  const affected = number.value;
  if (!number.read(bytes, number.end, end) || number.end + 2 > end) return facts(affected, 0);
  return facts(affected, u16le(bytes, number.end));
}

function facts(affected: number, status: number): OkFacts {
  return { affected, more: (status & STATUS.moreResults) !== 0, cursor: (status & STATUS.cursorExists) !== 0 };
}

/** Payload of an EOF packet: its first byte, warnings, status. */
export const EOF_LENGTH = 5;

export interface SqlError {
  readonly code: number;
  readonly sqlstate: string;
  readonly message: string;
}

/** The contents of an ERR packet. */
export function errorOf(bytes: Uint8Array, start: number, end: number): SqlError {
  const code = end - start >= 3 ? u16le(bytes, start + 1) : 0;
  const marked = end - start >= 9 && u8(bytes, start + 3) === 0x23;
  const sqlstate = marked ? utf8(bytes, start + 4, start + 9) : '';
  return { code, sqlstate, message: utf8(bytes, start + (marked ? 9 : 3), end) };
}

/** A text that ends with a zero byte, or with the packet; and where it ends. */
export function zeroEnded(bytes: Uint8Array, start: number, end: number): { text: string; end: number } {
  let at = start;
  while (at < end && bytes[at] !== 0) at += 1;
  return { text: utf8(bytes, start, at), end: Math.min(end, at + 1) };
}

/** User and database of a COM_CHANGE_USER. @param start behind the command's byte */
export function changedUser(bytes: Uint8Array, start: number, end: number): { user: string; database: string } {
  const user = zeroEnded(bytes, start, end);
  // The password's proof has its length before it.
  const at = user.end < end ? user.end + 1 + u8(bytes, user.end) : end;
  return { user: user.text, database: zeroEnded(bytes, Math.min(at, end), end).text };
}

/** The contents of a login ("HandshakeResponse41"). @param start of its payload */
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
