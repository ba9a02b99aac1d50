import { createCipheriv, createHmac } from 'node:crypto';

/** HKDF-Expand-Label with SHA-256, of at most 32 bytes (RFC 8446 section 7.1). */
function expand(secret: Buffer, label: string, length: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.from([0, length, name.length]), name, Buffer.from([0])]);
  const block = createHmac('sha256', secret)
    .update(Buffer.concat([info, Buffer.from([1])]))
    .digest();
  return block.subarray(0, length);
}

/** Seals records of TLS 1.3 with AES-128-GCM as a peer would, with messages that Node's peers cannot be asked for. */
export class Sealer {
  #secret: Buffer;
  #sequence = 0;

  constructor(secret: Buffer) {
    this.#secret = secret;
  }

  /** @param type of the content @param padding zeros behind it */
  seal(type: number, content: Buffer, padding = 0): Buffer {
    const plain = Buffer.concat([content, Buffer.from([type]), Buffer.alloc(padding)]);
    const header = Buffer.from([23, 3, 3, (plain.length + 16) >>> 8, (plain.length + 16) & 0xff]);
    const nonce = expand(this.#secret, 'iv', 12);
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#sequence) >>> 0, 8);
    this.#sequence += 1;
    const cipher = createCipheriv('aes-128-gcm', expand(this.#secret, 'key', 16), nonce);
    cipher.setAAD(header);
    return Buffer.concat([header, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** A KeyUpdate; what follows is sealed with the next key (RFC 8446 section 4.6.3). */
  update(): Buffer {
    const record = this.seal(22, Buffer.from([24, 0, 0, 1, 0]));
    this.#secret = expand(this.#secret, 'traffic upd', 32);
    this.#sequence = 0;
    return record;
  }
}
