import type { CipherCCMTypes, CipherChaCha20Poly1305Types, CipherGCMTypes } from 'node:crypto';
import { cipherSuiteName } from '../cipher-suites.ts';

/** How a cipher suite protects records. */
export type Suite = AeadSuite | CbcSuite;

interface SuiteBase {
  readonly keyBytes: number;
  /** Of the key schedule (TLS 1.3) or the pseudo-random function (TLS 1.2). */
  readonly hash: 'sha256' | 'sha384';
}

export type AeadSuite = SuiteBase & { readonly tagBytes: 8 | 16 } & (
    | { readonly mode: 'gcm'; readonly cipher: CipherGCMTypes }
    | { readonly mode: 'ccm'; readonly cipher: CipherCCMTypes }
    | { readonly mode: 'poly1305'; readonly cipher: CipherChaCha20Poly1305Types }
  );

/** TLS 1.2 only. */
export interface CbcSuite extends SuiteBase {
  readonly mode: 'cbc';
  readonly cipher: 'aes-128-cbc' | 'aes-256-cbc';
  readonly mac: 'sha1' | 'sha256' | 'sha384';
  readonly macBytes: number;
}

const NAME = /(?:^TLS|_WITH)_(?:AES_(128|256)_(GCM|CCM_8|CCM|CBC)|CHACHA20_POLY1305)(?:_SHA(256|384)?)?$/;
const MAC_BYTES = { sha1: 20, sha256: 32, sha384: 48 } as const;

/**
 * What a cipher suite's name says of its records (IANA, "TLS Cipher Suites"; RFC 5288, 6655, 7905, 8446).
 * @returns undefined for suites that are not decrypted: RC4, 3DES, Camellia, ARIA, no encryption
 */
export function suiteOf(number: number): Suite | undefined {
  const parts = NAME.exec(cipherSuiteName(number));
  if (parts === null) return undefined;
  const [, bits, mode, digest] = parts;
  const hash = digest === '384' ? 'sha384' : 'sha256';
  if (bits === undefined) return { mode: 'poly1305', cipher: 'chacha20-poly1305', keyBytes: 32, tagBytes: 16, hash };
  const size = bits === '128' ? '128' : '256';
  const keyBytes = size === '128' ? 16 : 32;
  if (mode === 'GCM') return { mode: 'gcm', cipher: `aes-${size}-gcm`, keyBytes, tagBytes: 16, hash };
  if (mode !== 'CBC') {
    return { mode: 'ccm', cipher: `aes-${size}-ccm`, keyBytes, tagBytes: mode === 'CCM_8' ? 8 : 16, hash };
  }
  const mac = digest === undefined ? 'sha1' : hash;
  return { mode: 'cbc', cipher: `aes-${size}-cbc`, keyBytes, mac, macBytes: MAC_BYTES[mac], hash };
}
