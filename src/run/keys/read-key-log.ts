import { createReadStream } from 'node:fs';
import { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { EXIT, KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { KeyLogPieces, PIECE_BYTES } from './key-log-pieces.ts';
import { isPodKeyLog } from './pod-key-log.ts';

/**
 * The secrets in a key log as programs write it (SSLKEYLOGFILE, RFC 9850).
 * @param path `-` for stdin
 * @throws KsnoopError USAGE for one in pods, NO_FILE, NO_KEYS (exit 2), CANNOT_READ
 */
export async function readKeyLog(path: string): Promise<KeyLog> {
  if (isPodKeyLog(path)) {
    throw new KsnoopError(
      'USAGE',
      '--keylog exec: fetches keys from pods while capturing; a capture file needs a file.',
      {
        exit: EXIT.usage,
        hint: 'Fetch it: kubectl exec POD -c CONTAINER -- cat PATH > keys.log',
      },
    );
  }
  const keys = new KeyLog();
  const input = createReadStream(path, { highWaterMark: PIECE_BYTES, ...(path === '-' ? { fd: 0 } : {}) });
  const pieces = new KeyLogPieces(keys);
  try {
    for await (const piece of input) pieces.push(piece as Buffer);
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') {
      throw new KsnoopError('NO_FILE', `There is no key log ${path}.`, { exit: EXIT.usage });
    }
    throw new KsnoopError('CANNOT_READ', `The key log ${path} cannot be read: ${messageOf(thrown)}.`);
  }
  pieces.end();
  if (keys.size > 0) return keys;
  throw new KsnoopError('NO_KEYS', `${path} holds no secrets of TLS connections.`, {
    exit: EXIT.usage,
    hint: 'Start the client or the server with SSLKEYLOGFILE=FILE and name that file.',
  });
}
