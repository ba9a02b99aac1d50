import { KEY_LOG_BYTES } from '../../../limits.ts';

/** The secrets of one connection, as far as they are known; which of them is there depends on the version of TLS. */
export interface ConnectionSecrets {
  /** TLS <= 1.2. */
  readonly master?: Buffer;
  /** TLS 1.3: traffic secrets of the client's early data, of both sides' handshake, and of both sides' data. */
  readonly clientEarly?: Buffer;
  readonly clientHandshake?: Buffer;
  readonly serverHandshake?: Buffer;
  readonly clientTraffic?: Buffer;
  readonly serverTraffic?: Buffer;
}

/** What a line of a key log begins with, and the secret it holds (RFC 9850 section 2). EXPORTER_SECRET decrypts nothing. */
const LABELS: ReadonlyMap<string, keyof ConnectionSecrets> = new Map([
  ['CLIENT_RANDOM', 'master'],
  ['CLIENT_EARLY_TRAFFIC_SECRET', 'clientEarly'],
  ['CLIENT_HANDSHAKE_TRAFFIC_SECRET', 'clientHandshake'],
  ['SERVER_HANDSHAKE_TRAFFIC_SECRET', 'serverHandshake'],
  ['CLIENT_TRAFFIC_SECRET_0', 'clientTraffic'],
  ['SERVER_TRAFFIC_SECRET_0', 'serverTraffic'],
]);

/** A label, the client's random of 32 bytes, and a secret of at most 64. */
const LINE = /^([A-Z0-9_]{1,40}) ([0-9a-fA-F]{64}) ((?:[0-9a-fA-F]{2}){1,64})$/;
const LINE_MAXIMUM = 256;
/** What a connection, and each of its secrets, takes in memory besides the secret's own bytes. */
const CONNECTION_BYTES = 200;
const SECRET_BYTES = 120;
/** How much of KEY_LOG_BYTES a log that grows keeps when the oldest go. */
const FILLED = 0.9;

/**
 * Secrets of TLS connections by the random number of their ClientHello: the lines that programs write to SSLKEYLOGFILE
 * (RFC 9850). Lines that hold none, and those past the bound, are left out and counted; of a log that grows the oldest go.
 */
export class KeyLog {
  /** Lines that are neither empty, comments nor secrets; of them and of whole lines. */
  invalid = 0;
  /** Secrets that were left out as KEY_LOG_BYTES were reached. */
  leftOut = 0;
  /** More secrets may come while packets do (a key log that grows): what cannot be decrypted yet is held for a while. */
  growing = false;
  /** Grows with every secret. */
  version = 0;
  /** Called with every secret: the client random of its connection, hexadecimal. */
  onAdded: ((random: string) => void) | undefined;
  /** Bytes that all connections hold: until their secrets come, and of records that are not whole. */
  heldBytes = 0;
  /** Client randoms, hexadecimal, of the connections that were seen and have secrets. */
  readonly #found = new Set<string>();
  /** Client randoms of those of which something was decrypted, and how many more were forgotten. */
  readonly #decrypted = new Set<string>();
  #decryptedBefore = 0;
  readonly #connections = new Map<string, { -readonly [name in keyof ConnectionSecrets]: ConnectionSecrets[name] }>();
  #bytes = 0;

  /** Connections of which something was decrypted with secrets from here. */
  get decrypted(): number {
    return this.#decrypted.size + this.#decryptedBefore;
  }

  /** Connections with secrets. */
  get size(): number {
    return this.#connections.size;
  }

  /** Take the lines of a key log, whole ones. */
  add(text: string): void {
    for (let start = 0; start < text.length; ) {
      const newline = text.indexOf('\n', start);
      const end = newline < 0 ? text.length : newline;
      this.#line(text.slice(start, Math.min(end, start + LINE_MAXIMUM + 1)).trim());
      start = end + 1;
    }
  }

  #line(line: string): void {
    if (line === '' || line.startsWith('#')) return;
    const parts = line.length > LINE_MAXIMUM ? null : LINE.exec(line);
    if (parts === null) {
      this.invalid += 1;
      return;
    }
    const [, label = '', random = '', secret = ''] = parts;
    const name = LABELS.get(label);
    if (name === undefined) return;
    const key = random.toLowerCase();
    const known = this.#connections.get(key);
    const bytes = SECRET_BYTES + secret.length / 2 + (known === undefined ? CONNECTION_BYTES : 0);
    if (known?.[name] !== undefined) return;
    if (this.growing && this.#bytes + bytes > KEY_LOG_BYTES) this.#forgetOldest();
    if (this.#bytes + bytes > KEY_LOG_BYTES) {
      this.leftOut += 1;
      return;
    }
    this.#bytes += bytes;
    this.version += 1;
    const secrets = known ?? {};
    secrets[name] = Buffer.from(secret, 'hex');
    if (known === undefined) this.#connections.set(key, secrets);
    this.onAdded?.(key);
  }

  /** The secrets of the connection with this client random, 32 bytes. */
  secretsOf(random: Uint8Array): ConnectionSecrets | undefined {
    return this.secretsNamed(Buffer.from(random.buffer, random.byteOffset, random.length).toString('hex'));
  }

  /** The same. @param key the client random, lower-case hexadecimal */
  secretsNamed(key: string): ConnectionSecrets | undefined {
    const secrets = this.#connections.get(key);
    if (secrets !== undefined) this.#found.add(key);
    return secrets;
  }

  /** A record or packet of the connection was decrypted with its secrets. @param random its client random, 32 bytes */
  onDecrypted(random: Uint8Array): void {
    const key = Buffer.from(random.buffer, random.byteOffset, random.length).toString('hex');
    if (this.#connections.has(key)) this.#decrypted.add(key);
  }

  /** The lines of the connections that were found, each with its newline. */
  *foundLines(): Generator<string> {
    for (const random of this.#found) yield* this.linesOf(random);
  }

  /** The lines of one connection, each with its newline. @param random lower-case hexadecimal */
  *linesOf(random: string): Generator<string> {
    const secrets = this.#connections.get(random);
    for (const [label, name] of LABELS) {
      const secret = secrets?.[name];
      if (secret !== undefined) yield `${label} ${random} ${secret.toString('hex')}\n`;
    }
  }

  #forgetOldest(): void {
    for (const [oldest] of this.#connections) {
      this.forget(oldest);
      if (this.#bytes < KEY_LOG_BYTES * FILLED) return;
    }
  }

  /** Forget the secrets of a connection, so that there is room for others. @param random lower-case hexadecimal */
  forget(random: string): void {
    const secrets = this.#connections.get(random);
    if (secrets === undefined) return;
    this.#connections.delete(random);
    this.#found.delete(random);
    if (this.#decrypted.delete(random)) this.#decryptedBefore += 1;
    this.#bytes -= CONNECTION_BYTES;
    for (const secret of Object.values(secrets)) this.#bytes -= SECRET_BYTES + secret.length;
  }
}

/** Whether nothing that decrypts data is still to come. */
export function isComplete(secrets: ConnectionSecrets | undefined): boolean {
  if (secrets?.master !== undefined) return true;
  return secrets?.clientTraffic !== undefined && secrets.serverTraffic !== undefined;
}
