import type {
  StreamAnalyzer,
  StreamContext,
  StreamEnd,
  StreamProtocol,
} from '../../../src/analyze/protocols/protocol.ts';
import type { AnalysisEvent, Side } from '../../../src/analyze/record/event.ts';
import { Random } from '../../support/random.ts';

/** One step of a conversation: octets (or their text) of a side, or a gap of so many. Step n happens at n milliseconds. */
export type Step = readonly [side: Side, what: Uint8Array | string | { readonly gap: number }];

export interface PlayOptions {
  readonly detail?: boolean;
  readonly showSecrets?: boolean;
  readonly end?: StreamEnd;
  readonly serverPort?: number;
  /** Cuts every step into portions of at most so many octets. */
  readonly portion?: (left: number) => number;
}

/** What a tunnel holds is for others to tell. */
const NOBODY: StreamAnalyzer = { data: () => undefined, gap: () => undefined, end: () => undefined };

/** What a protocol's analyzer says of a conversation, as the core would run it. */
export function play(protocol: StreamProtocol, steps: readonly Step[], options: PlayOptions = {}): AnalysisEvent[] {
  const events: AnalysisEvent[] = [];
  let current: StreamAnalyzer;
  const context = {
    now: 0,
    detail: options.detail ?? true,
    showSecrets: options.showSecrets ?? false,
    serverPort: options.serverPort ?? protocol.ports[0] ?? 0,
    emit: (event) => void events.push(event),
    become: (next) => {
      current = next?.create(context) ?? NOBODY;
      return current;
    },
  } satisfies StreamContext & { now: number } as StreamContext & { now: number };
  current = protocol.create(context);
  for (const [index, [side, what]] of steps.entries()) {
    context.now = index * 1e6;
    if (typeof what === 'object' && 'gap' in what) {
      current.gap(side, what.gap);
      continue;
    }
    const bytes = typeof what === 'string' ? Buffer.from(what, 'latin1') : what;
    for (let at = 0; at < bytes.length; ) {
      const size = Math.max(1, Math.min(bytes.length - at, options.portion?.(bytes.length - at) ?? bytes.length));
      // A copy that is overwritten afterwards: nobody may keep a reference into it.
      const portion = Uint8Array.from(bytes.subarray(at, at + size));
      current.data(side, portion, 0, size);
      portion.fill(0xee);
      at += size;
    }
  }
  current.end(options.end ?? 'closed');
  return events;
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
