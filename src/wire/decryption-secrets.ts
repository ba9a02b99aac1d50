import { BLOCK } from './pcapng.ts';
import type { BlockView } from './pcapng-read.ts';
import { plainBlock } from './pcapng-write.ts';

/** Secrets of TLS in the text form of RFC 9850 (draft-ietf-opsawg-pcapng, section 4.7). */
const TLS_KEY_LOG = 0x544c534b;
/** Type, length, the kind of secrets, their length. */
const HEADER = 16;

/** The lines of a Decryption Secrets Block; undefined for other secrets than those of TLS, and for damaged ones. */
export function tlsSecretsOf({ bytes, view, offset, length, littleEndian }: BlockView): string | undefined {
  if (length < HEADER + 4 || view.getUint32(offset + 8, littleEndian) !== TLS_KEY_LOG) return undefined;
  const size = view.getUint32(offset + 12, littleEndian);
  if (size > length - HEADER - 4) return undefined;
  const start = bytes.byteOffset + offset + HEADER;
  return Buffer.from(bytes.buffer, start, size).toString('latin1');
}

/** A Decryption Secrets Block, little-endian. @param lines of a key log, ASCII */
export function tlsSecretsBlock(lines: string): Uint8Array {
  const secrets = Buffer.from(lines, 'latin1');
  const kind = Buffer.alloc(8);
  kind.writeUInt32LE(TLS_KEY_LOG, 0);
  kind.writeUInt32LE(secrets.length, 4);
  return plainBlock(BLOCK.decryptionSecrets, Buffer.concat([kind, secrets]));
}

/** A Decryption Secrets Block in the other byte order, as a section in it needs. @param block little-endian */
export function bigEndianSecrets(block: Uint8Array): Uint8Array {
  const copy = Buffer.from(block);
  // Type, length, the kind of secrets, their length, and the length again; the secrets are text.
  for (const at of [0, 4, 8, 12, copy.length - 4]) copy.subarray(at, at + 4).swap32();
  return copy;
}
