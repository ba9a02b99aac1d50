import type { Side } from '../../record/event.ts';
import type { Likeness, StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocol.ts';
import { binaryLikeness, isMagic } from './binary.ts';
import { BinaryConnection } from './binary-connection.ts';
import { memcachedLikeness } from './commands.ts';
import { TextConnection } from './text-connection.ts';

/** A connection uses one of the two protocols; its first byte shows which. */
class Memcached implements StreamAnalyzer {
  readonly #context: StreamContext;
  #connection: StreamAnalyzer | undefined;

  constructor(context: StreamContext) {
    this.#context = context;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    this.#connection ??= isMagic(bytes[start])
      ? new BinaryConnection(this.#context)
      : new TextConnection(this.#context);
    this.#connection.data(side, bytes, start, end);
  }

  gap(side: Side, length: number): void {
    this.#connection?.gap(side, length);
  }

  end(how: StreamEnd, by?: Side): void {
    this.#connection?.end(how, by);
  }
}

function likeness(bytes: Uint8Array, start: number, end: number): Likeness {
  return isMagic(bytes[start]) ? binaryLikeness(bytes, start, end) : memcachedLikeness(bytes, start, end);
}

/** memcached: its text protocol with the meta commands, and its binary protocol (memcached, doc/protocol.txt). */
export const memcached: StreamProtocol = {
  name: 'memcached',
  title: 'memcached',
  ports: [11_211],
  notOn: [6379],
  fields: {
    'memcached.command': { type: 'string', about: 'command: `get`, `set`, `mg`' },
    'memcached.key': { type: 'string', about: 'its first key' },
    'memcached.status': { type: 'string', about: '`hit`, `miss`, `STORED`, or the error' },
  },
  probe: likeness,
  create: (context) => new Memcached(context),
};
