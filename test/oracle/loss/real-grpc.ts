import { join } from 'node:path';
import { RIGHT_ADDRESS } from '../../agent/namespaces.ts';
import { numberIn } from './conversation.ts';
import type { RealProgram } from './real-program.ts';

const PEER = join(import.meta.dirname, 'real-grpc-peer.ts');

/** gRPC on nghttp2, which is in Node: its header fields are in HPACK's table and Huffman-coded. */
export const grpc: RealProgram = {
  protocol: 'grpc',
  title: 'gRPC on nghttp2',
  packages: [],
  port: 50_051,
  server: () => [process.execPath, PEER, 'server', RIGHT_ADDRESS],
  client: (count) => ({ argv: [process.execPath, PEER, 'client', RIGHT_ADDRESS, `${count}`], stdin: '' }),
  answered: (stdout) => stdout.split('\n').filter(Boolean).map(Number),
  fails: () => true,
  // The message may be in HPACK's table by a name that was not captured.
  showsFailure: (status) => status === 'NOT_FOUND',
  requestOf: (event) => numberIn(event.label, /\/r(\d+)$/),
  answerOf: (event) => numberIn(event.status, /\bid(\d+)$/),
};
