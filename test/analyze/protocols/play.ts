import { Bodies } from '../../../src/analyze/protocols/http1/message-body.ts';
import type {
  StreamAnalyzer,
  StreamContext,
  StreamEnd,
  StreamProtocol,
} from '../../../src/analyze/protocols/protocol.ts';
import type { AnalysisEvent, Side } from '../../../src/analyze/record/event.ts';
import { Random } from '../../support/random.ts';

/**
 * One step of a conversation: bytes (or their text) of a side, or a gap of so many. Step n happens at n milliseconds.
 * `acknowledged` is how much of the other side's stream the packet acknowledges; without it all that came before.
 */
export type Step = readonly [
  side: Side,
  what: Uint8Array | string | { readonly gap: number },
  acknowledged?: number | undefined,
];

export interface PlayOptions {
  readonly detail?: boolean;
  readonly showSecrets?: boolean;
  readonly end?: StreamEnd;
  readonly serverPort?: number;
  readonly endBy?: Side;
  /** The conversation was under way when the capture began. */
  readonly midstream?: boolean;
  /** Sides that have sent FIN when the end comes. */
  readonly finished?: readonly Side[];
  /** Steps, by index, of which only a copy with another clock's time was seen. */
  readonly timeless?: readonly number[];
  /** Bodies are wanted; where they are kept. */
  readonly bodies?: boolean | Bodies;
  /** Names of Kafka's topics that all connections share. */
  readonly topicNames?: Map<string, string>;
  /** When the conversation begins, ms since 1970; without, that is not known. */
  readonly epoch?: number;
  /** Counts the bytes of what is pending, as a stream does. */
  readonly countPending?: (bytes: number) => boolean;
  /** Cuts every step into portions of at most so many bytes. */
  readonly portion?: (left: number) => number;
}

/** What a stream says of bytes at hand before any have come: one place of capture, nothing late. */
export const STEADY = {
  now: 0,
  offset: 0,
  acknowledged: -1,
  timeKnown: true,
  lateEnd: -1,
  lateAcknowledged: -1,
  lateAnswers: 0,
  isCrossing: false,
  isCut: false,
};

/** What a tunnel holds is for others to tell. */
const NOBODY: StreamAnalyzer = { data: () => undefined, gap: () => undefined, end: () => undefined };

/** What a protocol's analyzer says of a conversation, as the core would run it. */
export function play(protocol: StreamProtocol, steps: readonly Step[], options: PlayOptions = {}): AnalysisEvent[] {
  const events: AnalysisEvent[] = [];
  let current: StreamAnalyzer;
  const delivered: [number, number] = [0, 0];
  let ended = false;
  const annotations = {};
  const context = {
    ...STEADY,
    midstream: options.midstream ?? false,
    beginning: () => 0,
    wallTime: (time) => (options.epoch ?? Number.NaN) + time / 1e6,
    finSeen: (side) => ended && (options.finished?.includes(side) ?? options.end === undefined),
    detail: options.detail ?? true,
    showSecrets: options.showSecrets ?? false,
    bodies: options.bodies === true ? new Bodies(options.showSecrets ?? false) : options.bodies || undefined,
    topicNames: options.topicNames,
    countPending: options.countPending ?? (() => true),
    serverPort: options.serverPort ?? protocol.ports[0] ?? 0,
    emit: (event) => void events.push({ ...event, fields: { ...annotations, ...event.fields } }),
    annotate: (fields) => Object.assign(annotations, fields),
    become: (next) => {
      const analyzer = next?.create(context) ?? NOBODY;
      current = analyzer;
      return {
        ...bound(analyzer),
        data: (side, bytes, start, end) => {
          context.offset = delivered[side] - (end - start);
          analyzer.data(side, bytes, start, end);
        },
      };
    },
  } satisfies StreamContext as Mutable<StreamContext>;
  current = protocol.create(context);
  for (const [index, [side, what, acknowledged]] of steps.entries()) {
    context.now = index * 1e6;
    context.timeKnown = !(options.timeless?.includes(index) ?? false);
    if (typeof what === 'object' && 'gap' in what) {
      delivered[side] += what.gap;
      current.gap(side, what.gap);
      continue;
    }
    context.acknowledged = acknowledged ?? delivered[side === 0 ? 1 : 0];
    const bytes = typeof what === 'string' ? Buffer.from(what, 'latin1') : what;
    for (let at = 0; at < bytes.length; ) {
      const size = Math.max(1, Math.min(bytes.length - at, options.portion?.(bytes.length - at) ?? bytes.length));
      // A copy that is overwritten afterwards: nobody may keep a reference into it.
      const portion = Uint8Array.from(bytes.subarray(at, at + size));
      context.offset = delivered[side];
      delivered[side] += size;
      current.data(side, portion, 0, size);
      portion.fill(0xee);
      at += size;
    }
  }
  ended = true;
  current.end(options.end ?? 'closed', options.endBy);
  return events;
}

type Mutable<T> = { -readonly [member in keyof T]: T[member] };

function bound(analyzer: StreamAnalyzer): StreamAnalyzer {
  return {
    data: (side, bytes, start, end) => analyzer.data(side, bytes, start, end),
    gap: (side, length) => analyzer.gap(side, length),
    end: (how, by) => analyzer.end(how, by),
  };
}

/** The same conversation cut in many ways: each must give the same events. @returns the events of each cutting */
export function playCut(
  protocol: StreamProtocol,
  steps: readonly Step[],
  options: PlayOptions = {},
  cuttings = 20,
): AnalysisEvent[][] {
  const all = [play(protocol, steps, options), play(protocol, steps, { ...options, portion: () => 1 })];
  for (let seed = 1; seed <= cuttings; seed += 1) {
    const random = new Random(seed);
    all.push(play(protocol, steps, { ...options, portion: () => 1 + random.below(seed % 2 === 0 ? 9 : 200) }));
  }
  return all;
}
