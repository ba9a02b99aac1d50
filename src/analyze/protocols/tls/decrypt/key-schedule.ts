import { createHmac } from 'node:crypto';

type Hash = 'sha256' | 'sha384';
const HASH_BYTES = { sha256: 32, sha384: 48 } as const;

/** What a direction's records are protected with. */
export interface RecordKeys {
  readonly key: Buffer;
  /** Of TLS 1.3, and of ChaCha20 in TLS 1.2: 12 bytes; of GCM and CCM in TLS 1.2: 4; none for CBC. */
  readonly iv: Buffer;
  /** CBC only. */
  readonly mac: Buffer;
}

/** Key and IV of a traffic secret (RFC 8446 section 7.3). */
export function trafficKeys(secret: Buffer, hash: Hash, keyBytes: number): RecordKeys {
  return {
    key: expandLabel(secret, hash, 'key', keyBytes),
    iv: expandLabel(secret, hash, 'iv', 12),
    mac: Buffer.alloc(0),
  };
}

/** The traffic secret behind a KeyUpdate (RFC 8446 section 7.2). */
export function nextTrafficSecret(secret: Buffer, hash: Hash): Buffer {
  return expandLabel(secret, hash, 'traffic upd', HASH_BYTES[hash]);
}

/** HKDF-Expand-Label with an empty context, of `length` bytes (RFC 8446 section 7.1; RFC 5869 section 2.3). */
export function expandLabel(secret: Buffer, hash: Hash, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`, 'latin1');
  const info = Buffer.concat([Buffer.from([length >>> 8, length & 0xff, name.length]), name, Buffer.from([0])]);
  let block = Buffer.alloc(0);
  const blocks: Buffer[] = [];
  for (let had = 0; had < length; had += block.length) {
    block = createHmac(hash, secret)
      .update(block)
      .update(info)
      .update(Buffer.from([blocks.length + 1]))
      .digest();
    blocks.push(block);
  }
  return Buffer.concat(blocks).subarray(0, length);
}

/** Sizes of what TLS 1.2 cuts its key block into, bytes. */
export interface KeyBlockSizes {
  readonly mac: number;
  readonly key: number;
  readonly iv: number;
}

/**
 * Keys of both sides, the client's first, from TLS 1.2's master secret (RFC 5246 sections 5 and 6.3).
 * @param randoms the server's random, then the client's: 64 bytes
 */
export function masterKeys(
  master: Buffer,
  hash: Hash,
  randoms: Buffer,
  sizes: KeyBlockSizes,
): [RecordKeys, RecordKeys] {
  const { mac, key, iv } = sizes;
  const seed = Buffer.concat([Buffer.from('key expansion', 'latin1'), randoms]);
  const blocks: Buffer[] = [];
  let chained = seed;
  for (let had = 0; had < 2 * (mac + key + iv); had += HASH_BYTES[hash]) {
    chained = createHmac(hash, master).update(chained).digest();
    blocks.push(createHmac(hash, master).update(chained).update(seed).digest());
  }
  const block = Buffer.concat(blocks);
  let at = 0;
  const take = (length: number): Buffer => {
    at += length;
    return block.subarray(at - length, at);
  };
  const [clientMac, serverMac] = [take(mac), take(mac)];
  const [clientKey, serverKey] = [take(key), take(key)];
  const [clientIv, serverIv] = [take(iv), take(iv)];
  return [
    { key: clientKey, iv: clientIv, mac: clientMac },
    { key: serverKey, iv: serverIv, mac: serverMac },
  ];
}
