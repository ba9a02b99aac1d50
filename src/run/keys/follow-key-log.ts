import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { KeyLogPieces, PIECE_BYTES } from './key-log-pieces.ts';

/** How often a growing key log is looked at, ms: a handshake's packets are held for longer. */
const LOOK_MS = 100;

/** Where reading stands in a file. */
interface Place {
  inode: number;
  offset: number;
  pieces: KeyLogPieces;
}

/**
 * Take what a program writes to a key log, from its beginning and as it grows, until `signal` is aborted. The file may not
 * exist yet; one that is replaced or cut short is read from its beginning again. Resolves when it was read a last time. Never rejects.
 */
export async function followKeyLog(path: string, keys: KeyLog, signal: AbortSignal): Promise<void> {
  keys.growing = true;
  const place: Place = { inode: 0, offset: 0, pieces: new KeyLogPieces(keys) };
  while (!signal.aborted) {
    await takeGrowth(path, keys, place).catch(() => undefined);
    await delay(LOOK_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
  await takeGrowth(path, keys, place).catch(() => undefined);
}

async function takeGrowth(path: string, keys: KeyLog, place: Place): Promise<void> {
  // A FIFO that nothing writes to would keep open(2) waiting, and the end of the capture with it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const { ino, size } = await file.stat();
    if (ino !== place.inode || size < place.offset) {
      Object.assign(place, { inode: ino, offset: 0, pieces: new KeyLogPieces(keys) });
    }
    while (place.offset < size) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, place.offset);
      if (bytesRead === 0) return;
      place.offset += bytesRead;
      place.pieces.push(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
