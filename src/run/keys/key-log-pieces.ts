import type { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';

/** Bytes that are read of a key log at once; no line of one is as long. */
export const PIECE_BYTES = 64 * 1024;

/** Hands the bytes of a key log, cut anywhere, to a KeyLog line by line. */
export class KeyLogPieces {
  readonly #keys: KeyLog;
  #rest = '';

  constructor(keys: KeyLog) {
    this.#keys = keys;
  }

  push(piece: Buffer): void {
    const text = this.#rest + piece.toString('latin1');
    const end = text.lastIndexOf('\n') + 1;
    this.#keys.add(text.slice(0, end));
    this.#rest = text.length - end > PIECE_BYTES ? '' : text.slice(end);
  }

  /** The last line may have no newline. */
  end(): void {
    this.#keys.add(this.#rest);
    this.#rest = '';
  }
}
