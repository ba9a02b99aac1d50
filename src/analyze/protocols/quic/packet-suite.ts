/** How QUIC protects packets under one of TLS 1.3's cipher suites (RFC 9001 section 5). */
export interface PacketSuite {
  readonly aead: 'aes-128-gcm' | 'aes-256-gcm' | 'chacha20-poly1305';
  /** Bytes of the key, and of the key of the header's protection. */
  readonly keyBytes: 16 | 32;
  readonly hash: 'sha256' | 'sha384';
}

/** What protects Initial packets (RFC 9001 section 5.2). */
export const INITIAL_SUITE: PacketSuite = { aead: 'aes-128-gcm', keyBytes: 16, hash: 'sha256' };

const CHACHA: PacketSuite = { aead: 'chacha20-poly1305', keyBytes: 32, hash: 'sha256' };

/** By the number in the ServerHello (RFC 8446 appendix B.4). */
const SUITES: ReadonlyMap<number, PacketSuite> = new Map([
  [0x1301, INITIAL_SUITE],
  [0x1302, { aead: 'aes-256-gcm', keyBytes: 32, hash: 'sha384' }],
  [0x1303, CHACHA],
]);

const SECRET_BYTES = { sha256: 32, sha384: 48 } as const;

/**
 * Suites that a secret may belong to.
 * @param cipher number of the suite agreed on; undefined where the ServerHello was not seen
 * @param secretBytes length of the secret
 * @returns none for a suite that is not decrypted, or that the secret does not fit
 */
export function packetSuites(cipher: number | undefined, secretBytes: number): PacketSuite[] {
  return [...SUITES]
    .filter(([number, { hash }]) => (cipher ?? number) === number && SECRET_BYTES[hash] === secretBytes)
    .map(([, suite]) => suite);
}
