import { join } from 'node:path';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { RIGHT_ADDRESS } from '../../agent/namespaces.ts';
import { numberIn } from './conversation.ts';
import type { RealProgram } from './real-program.ts';

const CLIENT = join(import.meta.dirname, 'real-memcached-client.ts');
const FIRST_LENGTH = 1_000;

/** Each value has its own length, which tells the answers of `get` apart; what comes before fills the server. */
export const memcached: RealProgram = {
  protocol: 'memcached',
  title: 'memcached and a client of sockets',
  packages: ['memcached'],
  port: 11_211,
  server: () => ['memcached', '-u', 'root', '-l', RIGHT_ADDRESS, '-p', '11211', '-U', '0'],
  client: (count) => ({ argv: [process.execPath, CLIENT, RIGHT_ADDRESS, `${count}`, `${FIRST_LENGTH}`], stdin: '' }),
  answered: (stdout) => stdout.split('\n').filter(Boolean).map(Number),
  fails: () => false,
  requestOf: (event) => numberIn(event.label, /^get k(\d+)\b/),
  answerOf: (event) => (isWholeGet(event) ? numberOf(event.responseBytes) : undefined),
};

function isWholeGet({ label, incomplete }: Exchange): boolean {
  return label.startsWith('get ') && (incomplete === undefined || incomplete === 'request not captured');
}

/** Which value an answer of so many bytes has. */
function numberOf(bytes: number): number | undefined {
  for (const digits of [1, 2, 3]) {
    const number = bytes - 'VALUE k 0 1000\r\n\r\nEND\r\n'.length - digits - FIRST_LENGTH;
    if (number >= 0 && `${number}`.length === digits) return number;
  }
  return undefined;
}
