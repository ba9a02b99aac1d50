import { createReadStream } from 'node:fs';
import { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';

/** Bytes that are read of a key log at once; no line of one is as long. */
const PIECE_BYTES = 64 * 1024;

/**
 * The secrets in a key log as programs write it (SSLKEYLOGFILE, RFC 9850).
 * @param path `-` for stdin
 * @throws KsnoopError CANNOT_READ, NO_KEYS (exit 2)
 */
export async function readKeyLog(path: string): Promise<KeyLog> {
  const keys = new KeyLog();
  const input = createReadStream(path, { highWaterMark: PIECE_BYTES, ...(path === '-' ? { fd: 0 } : {}) });
  let rest = '';
  try {
    for await (const piece of input) {
      const text = rest + (piece as Buffer).toString('latin1');
      const end = text.lastIndexOf('\n') + 1;
      keys.add(text.slice(0, end));
      rest = text.length - end > PIECE_BYTES ? '' : text.slice(end);
    }
  } catch (thrown) {
    throw new KsnoopError('CANNOT_READ', `The key log ${path} cannot be read: ${(thrown as Error).message}.`);
  }
  keys.add(rest);
  if (keys.size > 0) return keys;
  throw new KsnoopError('NO_KEYS', `${path} holds no secrets of TLS connections.`, {
    exit: EXIT.usage,
    hint: 'Start the client or the server with SSLKEYLOGFILE=FILE and name that file.',
  });
}
