import { type Incomplete, SIDE, type Side } from '../../record/event.ts';
import { oneLine } from '../one-line.ts';
import type { StreamAnalyzer, StreamContext, StreamEnd } from '../protocol.ts';
import { unfinished } from '../unfinished.ts';
import {
  answerBegins,
  canAnswer,
  commandAt,
  isAnswer,
  isCommand,
  isError,
  isSingleAnswer,
  STORES,
} from './commands.ts';
import type { MemcachedAnswer, MemcachedRequest } from './events.ts';
import { type Data, type Line, LineReader, NO_DATA } from './line-reader.ts';
import { type Reading, Requests } from './requests.ts';

/** Lines of answers that have several, up to END. */
const PARTS = new Set(['VALUE', 'STAT', 'ITEM', 'PREFIX']);

/** Commands whose answers are lines of any words, up to one of ENDS. */
const LISTS = new Set(['lru_crawler']);
const ENDS = new Set(['END', 'EN', 'OK', 'BUSY']);

/** An answer whose lines are coming. */
interface Coming {
  /** The first word of its first line, and what it names its request by. */
  readonly first: string;
  readonly opaque: string | undefined;
  readonly key: string | undefined;
  readonly answer: MemcachedAnswer;
  readonly words: readonly string[];
  /** It is whole once the data behind its line are. */
  readonly ends: boolean;
}

/** memcached's text protocol on one connection (memcached, doc/protocol.txt): meta commands included. */
export class TextConnection implements StreamAnalyzer {
  readonly #context: StreamContext;
  readonly #requests: Requests;
  readonly #client: LineReader;
  readonly #server: LineReader;
  /** The command whose data are coming. */
  #sending: MemcachedRequest | undefined;
  #coming: Coming | undefined;
  /** The server sends a log (`watch`): its lines answer nothing. */
  #watching = false;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#requests = new Requests(context);
    this.#client = new LineReader({
      onLine: (words, line) => this.#onCommand(words, line),
      onData: (data) => this.#onSent(data),
    });
    this.#server = new LineReader({
      onLine: (words, line) => this.#onAnswer(words, line),
      onData: (data) => this.#onValue(data),
    });
    // In the middle of a connection nothing proves that the server's first bytes begin an answer.
    this.#server.lost = context.midstream;
  }

  data(side: Side, bytes: Uint8Array, start: number, end: number): void {
    const { stream } = this.#requests;
    const { offset } = this.#context;
    const unheard = stream.unheard(side);
    if (unheard > 0) this.gap(side, unheard);
    stream.delivered(side, end - start);
    if (side === SIDE.server && this.#watching) return;
    const reader = side === SIDE.client ? this.#client : this.#server;
    let at = start;
    if (reader.lost) {
      at = this.#resume(side, bytes, start, end);
      if (at !== start) stream.skipped(side, offset, (at < 0 ? end : at) - start);
      if (at < 0) return;
      reader.restart();
      stream.understood(side);
    }
    reader.take(bytes, at, end, offset + at - start, this.#context);
    if (!reader.lost) return;
    const lostAt = Math.max(reader.line.start, offset);
    this.#cutOff(side, side === SIDE.client ? 'request not captured' : 'response not captured');
    stream.skipped(side, lostAt, offset + end - start - lostAt);
  }

  gap(side: Side, length: number): void {
    const { stream } = this.#requests;
    const offset = stream.gap(side, length);
    const reader = side === SIDE.client ? this.#client : this.#server;
    if (reader.gap(length)) return;
    if (side === SIDE.client) stream.missed(side, offset, length);
    this.#cutOff(side, side === SIDE.client ? 'request not captured' : 'response not captured');
    if (side === SIDE.server) stream.missed(side, offset, length);
    reader.lose();
  }

  end(how: StreamEnd, by?: Side): void {
    this.#cutOff(SIDE.server, unfinished(how, true), by);
    const sending = this.#sending;
    this.#sending = undefined;
    this.#requests.end(how, by);
    if (sending !== undefined) this.#requests.unsent(sending, unfinished(how, false), by);
  }

  /** Where reading continues after a loss. @returns -1 where that is not in these bytes */
  #resume(side: Side, bytes: Uint8Array, start: number, end: number): number {
    if (side === SIDE.client) return commandAt(bytes, start, end);
    const { stream } = this.#requests;
    const begins =
      stream.size > 0 ? stream.answerBegins && answerBegins(bytes, start, end) : isSingleAnswer(bytes, start, end);
    return begins ? start : -1;
  }

  /** A message of which the beginning came, and no more will. */
  #cutOff(side: Side, why: Incomplete, by?: Side): void {
    if (side === SIDE.client) {
      const request = this.#sending;
      this.#sending = undefined;
      if (request !== undefined) {
        const { data } = this.#client;
        const end = request.end + (data?.length ?? 0);
        this.#requests.push({ ...request, bytes: request.bytes + (data?.bytes ?? 0), end, gap: true });
      }
      return;
    }
    const coming = this.#coming;
    const { data } = this.#server;
    this.#coming = undefined;
    if (coming === undefined) return;
    const bytes = coming.answer.bytes + (data?.bytes ?? 0);
    this.#requests.answer({ ...coming.answer, bytes, lastTime: undefined }, readingOf(coming, ''), why, by);
  }

  #onCommand(words: string[], line: Line): number {
    const [command = ''] = words;
    if (words.length === 0) return NO_DATA;
    // A word that no version known here has is a command all the same, which is refused.
    if (!isCommand(command) && !/^[a-z_]{1,32}$/.test(command)) return Number.NaN;
    if (command === 'quit') return NO_DATA;
    const touches = command === 'gat' || command === 'gats';
    const isMeta = command.length === 2;
    const quiet = isMeta && words.slice(2).includes('q');
    const shown = touches ? 7 : command === 'get' || command === 'gets' ? 6 : 2;
    const request: MemcachedRequest = {
      command: oneLine(command),
      key: oneLine(words[touches ? 2 : 1] ?? ''),
      label: oneLine(this.#context.detail || this.#context.labels === true ? words.slice(0, shown).join(' ') : command),
      time: line.firstTime,
      requestEnd: line.lastTime,
      timed: line.timed,
      bytes: line.bytes,
      gap: false,
      start: line.start,
      end: line.start + line.bytes,
      acknowledged: line.acknowledged,
      opaque: isMeta ? flagOf(words, command === 'ms' ? 3 : 2, 'O') : undefined,
      quiet,
      noreply: words.at(-1) === 'noreply',
      before: quiet ? [] : this.#requests.quiet,
    };
    const position = Object.hasOwn(STORES, command) ? STORES[command] : undefined;
    const following = position === undefined ? NO_DATA : Number(words[position] ?? Number.NaN);
    // A length below 0 is refused at once.
    if (following < 0) this.#requests.push(request);
    else this.#sending = request;
    return Math.max(NO_DATA, following);
  }

  #onSent({ bytes, lastTime, timed, gap }: Data): void {
    const request = this.#sending;
    if (request === undefined) return;
    this.#sending = undefined;
    const end = request.end + bytes;
    this.#requests.push({
      ...request,
      bytes: request.bytes + bytes,
      end,
      requestEnd: lastTime,
      timed: request.timed && timed,
      gap,
    });
  }

  #onAnswer(words: string[], line: Line): number {
    if (this.#watching) return NO_DATA;
    const [first = ''] = words;
    const listing = LISTS.has(this.#requests.stream.first?.command ?? '');
    if (!isAnswer(first) && !listing) return Number.NaN;
    const coming = this.#join(words, line);
    this.#coming = coming;
    if (first === 'VALUE') return Number(words[3] ?? Number.NaN);
    if (first === 'VA') return Number(words[1] ?? Number.NaN);
    if (PARTS.has(first) || (listing && !ENDS.has(first) && !isError(first))) return NO_DATA;
    this.#finish(coming, first, words);
    return NO_DATA;
  }

  /** An error answers a command whose data are still coming: the server refuses it by its line, as a value that is too large. */
  #refuseSending({ acknowledged }: MemcachedAnswer): void {
    const request = this.#sending;
    if (request === undefined || request.noreply || this.#requests.stream.size > 0) return;
    if (acknowledged >= 0 && acknowledged < request.end) return;
    this.#sending = undefined;
    this.#requests.push({ ...request, bytes: request.bytes + (this.#client.data?.bytes ?? 0) });
  }

  /** A line continues the current answer, or begins one. */
  #join(words: readonly string[], line: Line): Coming {
    const before = this.#coming;
    const [first = ''] = words;
    if (before !== undefined) {
      const answer = {
        ...before.answer,
        lastTime: line.lastTime,
        timed: before.answer.timed && line.timed,
        bytes: before.answer.bytes + line.bytes,
      };
      return { ...before, answer };
    }
    const isMeta = first.length === 2;
    const { start, acknowledged, firstTime, lastTime, timed, bytes } = line;
    return {
      first,
      words,
      opaque: isMeta ? flagOf(words, first === 'VA' ? 2 : 1, 'O') : undefined,
      key: isMeta ? flagOf(words, first === 'VA' ? 2 : 1, 'k') : undefined,
      ends: first === 'VA',
      answer: { start, acknowledged, firstTime, lastTime, timed, bytes, gap: false },
    };
  }

  #onValue({ bytes, lastTime, timed, gap }: Data): void {
    const coming = this.#coming;
    if (coming === undefined) return;
    const { answer } = coming;
    const joined = {
      ...coming,
      answer: {
        ...answer,
        lastTime,
        timed: answer.timed && timed,
        bytes: answer.bytes + bytes,
        gap: answer.gap || gap,
      },
    };
    this.#coming = joined;
    if (joined.ends) this.#finish(joined, joined.first, joined.words);
  }

  #finish(coming: Coming, last: string, words: readonly string[]): void {
    this.#coming = undefined;
    if (isError(last)) this.#refuseSending(coming.answer);
    const first = this.#requests.stream.first?.command;
    this.#requests.answer(coming.answer, readingOf(coming, last, words));
    if (first === 'watch' && last === 'OK') this.#watching = true;
  }
}

/** The outcome of an answer. @param last the first word of its last line, which is `words`; empty where that did not come */
function readingOf({ first, opaque, key }: Coming, last: string, words: readonly string[] = []): Reading {
  return {
    failed: isError(last),
    status: (request) => {
      if (isError(last)) return oneLine(words.join(' '));
      if (last === 'EN' && request?.command !== 'me') return 'miss';
      if (last === 'VA') return 'hit';
      if (last === 'END' && first === 'VALUE') return 'hit';
      if (last === 'END' && first === 'END' && /^(?:gets?|gats?)$/.test(request?.command ?? '')) return 'miss';
      return /^\d/.test(last) ? 'OK' : last;
    },
    fits: (request) => {
      if (!canAnswer(request.command, request.quiet, first)) return false;
      // An answer without the flags that were requested is an error, or of a version that leaves them out of it.
      if (opaque !== undefined && request.opaque !== opaque) return false;
      return key === undefined || request.key === key;
    },
  };
}

/** The text behind a flag letter among the words from `from` on. */
function flagOf(words: readonly string[], from: number, letter: string): string | undefined {
  for (let index = from; index < words.length; index += 1) {
    const word = words[index] as string;
    if (word.startsWith(letter) && word.length > 1) return word.slice(1);
  }
  return undefined;
}
