import { PENDING_PER_STREAM } from '../../limits.ts';
import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd, StreamProtocol } from '../protocol.ts';
import { ANSWERS, ENDED_BY_END, isCommand, memcachedLikeness, STORES } from './commands.ts';
import { LineReader } from './line-reader.ts';

interface Asked {
  readonly command: string;
  readonly key: string;
  readonly label: string;
  readonly time: number;
  readonly quiet: boolean;
  end: number;
  bytes: number;
  gap: boolean;
}

class Memcached implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #client: LineReader;
  readonly #server: LineReader;
  readonly #asked: Asked[] = [];
  /** The command whose data are coming. */
  #sending: Asked | undefined;
  #answerTime: number | undefined;
  #answerBytes = 0;
  #values = 0;
  #gap = false;
  /** The answer is whole once the data behind its line are. */
  #lastValue = false;

  constructor(context: StreamContext) {
    this.#context = context;
    const onLost = () => this.#lost();
    this.#client = new LineReader({
      onLine: (words, first, last, octets) => this.#onCommand(words, first, last, octets),
      onData: (octets, last, gap) => this.#onSent(octets, last, gap),
      onLost,
    });
    this.#server = new LineReader({
      onLine: (words, first, last, octets) => this.#onAnswer(words, first, last, octets),
      onData: (octets, last, gap) => this.#onValue(octets, last, gap),
      onLost,
    });
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const reader = side === SIDE.client ? this.#client : this.#server;
    if (reader.lost) {
      if (side === SIDE.client ? memcachedLikeness(bytes, start, end) !== 'client' : this.#asked.length === 0) return;
      reader.restart();
    }
    reader.data(bytes, start, end, this.#context.now);
  }

  gap(side: Side, length: number): void {
    (side === SIDE.client ? this.#client : this.#server).gap(length);
  }

  end(how: StreamEnd): void {
    for (const asked of this.#asked.splice(0)) {
      if (!asked.quiet) this.#emit(asked, '', undefined, how === 'reset' ? 'reset' : 'no response');
    }
  }

  #onCommand(words: string[], time: number, last: number, octets: number): number {
    const [command = ''] = words;
    const touches = command === 'gat' || command === 'gats';
    const key = words[touches ? 2 : 1] ?? '';
    if (!isCommand(command)) return words.length === 0 ? -1 : Number.NaN;
    if (command === 'quit') return -1;
    const quiet = words.at(-1) === 'noreply' || (command.length === 2 && words.slice(2).includes('q'));
    const asked: Asked = {
      command,
      key: oneLine(key),
      label: oneLine(
        this.#context.detail
          ? words.slice(0, touches ? 7 : command === 'get' || command === 'gets' ? 6 : 2).join(' ')
          : command,
      ),
      time,
      quiet,
      end: last,
      bytes: octets,
      gap: false,
    };
    const position = STORES[command];
    const following = position === undefined ? -1 : Number(words[position] ?? Number.NaN);
    // A length below 0 is refused at once.
    if (following < 0) this.#ask(asked);
    else this.#sending = asked;
    return Math.max(-1, following);
  }

  #onSent(octets: number, last: number, gap: boolean): void {
    const asked = this.#sending;
    if (asked === undefined) return;
    this.#sending = undefined;
    asked.bytes += octets;
    asked.end = last;
    asked.gap = gap;
    this.#ask(asked);
  }

  /** What asks for no answer is whole at once. */
  #ask(asked: Asked): void {
    if (asked.quiet) {
      this.#emit(asked, 'noreply', undefined, undefined);
      return;
    }
    if (this.#asked.length >= PENDING_PER_STREAM) {
      const oldest = this.#asked.shift();
      if (oldest !== undefined) this.#emit(oldest, '', undefined, 'no response');
    }
    this.#asked.push(asked);
  }

  #onAnswer(words: string[], time: number, last: number, octets: number): number {
    const [first = ''] = words;
    const [asked] = this.#asked;
    if (asked === undefined) return first === 'VALUE' ? Number(words[3]) : first === 'VA' ? Number(words[1]) : -1;
    this.#answerTime ??= time;
    this.#answerBytes += octets;
    if (first === 'VALUE') {
      this.#values += 1;
      return Number(words[3] ?? Number.NaN);
    }
    if (first === 'VA') {
      this.#values += 1;
      this.#lastValue = true;
      return Number(words[1] ?? Number.NaN);
    }
    const several = ENDED_BY_END.has(asked.command);
    const ends = several ? first === 'END' || first.endsWith('ERROR') || first === 'OK' || first === 'RESET' : true;
    if (ends) this.#finish(asked, this.#status(asked, first, words), last);
    // Numbers answer incr and decr; STAT lines go before END.
    return ANSWERS.has(first) || /^\d+$/.test(first) || first === 'STAT' || asked.command === 'me' ? -1 : Number.NaN;
  }

  #onValue(octets: number, last: number, gap: boolean): void {
    this.#answerBytes += octets;
    this.#gap ||= gap;
    const [asked] = this.#asked;
    if (!this.#lastValue) return;
    this.#lastValue = false;
    if (asked !== undefined) this.#finish(asked, 'hit', last);
  }

  #status(asked: Asked, first: string, words: readonly string[]): string {
    if (first.endsWith('ERROR')) return oneLine(words.join(' '));
    if (ENDED_BY_END.has(asked.command) && asked.command !== 'stats') return this.#values > 0 ? 'hit' : 'miss';
    if (asked.command === 'mg') return first === 'EN' ? 'miss' : first;
    return /^\d/.test(first) ? 'OK' : first;
  }

  #finish(asked: Asked, status: string, last: number): void {
    this.#asked.shift();
    this.#emit(asked, status, last, asked.gap || this.#gap ? 'response not captured' : undefined);
    this.#forgetAnswer();
  }

  #forgetAnswer(): void {
    this.#answerTime = undefined;
    this.#answerBytes = 0;
    this.#values = 0;
    this.#gap = false;
    this.#lastValue = false;
  }

  #lost(): void {
    this.#client.lost = true;
    this.#server.lost = true;
    this.#sending = undefined;
    for (const asked of this.#asked.splice(0)) this.#emit(asked, '', undefined, 'response not captured');
    this.#forgetAnswer();
  }

  #emit(asked: Asked, status: string, end: number | undefined, incomplete: Incomplete | undefined): void {
    this.#context.emit({
      kind: 'exchange',
      protocol: 'memcached',
      label: asked.label,
      time: asked.time,
      requestEnd: asked.end,
      responseTime: end === undefined ? undefined : this.#answerTime,
      responseEnd: end,
      requestBytes: asked.bytes,
      responseBytes: end === undefined ? 0 : this.#answerBytes,
      status,
      failed: /ERROR/.test(status) || (end === undefined && !asked.quiet),
      route: asked.command,
      incomplete,
      fields: { memcached: { command: asked.command, key: asked.key || undefined, status: status || undefined } },
    });
  }
}

/** memcached's text protocol, meta commands included (memcached, doc/protocol.txt). The binary one is deprecated. */
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
  probe: memcachedLikeness,
  create: (context) => new Memcached(context),
};
