import { expect, test } from 'vitest';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { Random } from '../../support/random.ts';

const REQUEST = 'GET /cart HTTP/1.1\r\nHost: shop\r\n\r\n';
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const SIDES = ['client', 'server'] as const;

/** FIN or RST of a side, ms since the beginning. */
interface Ending {
  readonly kind: 'F' | 'R';
  readonly side: 0 | 1;
  readonly at: number;
}

/** How a connection ends by RFC 9293, one segment at a time. `by`: who closed first, or reset; undefined where it has not ended. */
function reference(endings: readonly Ending[]) {
  const fins = new Set<number>();
  const resets: Ending[] = [];
  let closedBy: number | undefined;
  for (const ending of endings) {
    if (ending.kind === 'R') resets.push(ending);
    else {
      if (fins.size === 0) closedBy = ending.side;
      fins.add(ending.side);
    }
    if (resets.length > 0) break;
  }
  const isClosed = fins.size === 2;
  const [reset] = resets;
  // A FIN behind a reset is its side's FIN all the same.
  const closer = closedBy ?? endings.find(({ kind }) => kind === 'F')?.side;
  return {
    state: reset !== undefined ? 'reset' : isClosed ? 'closed' : fins.size === 1 ? 'half-closed' : 'open',
    closedBy: closer,
    resetBy: reset?.side,
    notice:
      reset === undefined || isClosed ? [] : [{ label: 'connection reset', from: reset.side, time: reset.at * 1e6 }],
    by: isClosed ? closedBy : reset?.side,
  };
}

const sideName = (side: number | undefined) => (side === undefined ? undefined : SIDES[side]);

/** What the analysis finds of it. */
function found(segments: readonly BuiltSegment[]) {
  const { events, flows } = analyseBytes(builtPcap([...segments].sort((a, b) => a.at - b.at)));
  const exchanges = events.flatMap(({ event }) =>
    event.kind === 'exchange' ? [{ status: event.status, incomplete: event.incomplete, endedBy: event.endedBy }] : [],
  );
  const notice = events.flatMap(({ event }) =>
    event.kind === 'event' ? [{ label: event.label, from: event.from, time: event.time }] : [],
  );
  const { state, closedBy, resetBy } = flows[0]?.tcp ?? {};
  return { flows: flows.length, state, closedBy, resetBy, notice, exchanges };
}

test('FINs and RSTs of both sides in any order end a connection once, as the first of them say', () => {
  const seen = new Set<string>();
  for (let seed = 1; seed <= 500; seed += 1) {
    const random = new Random(seed);
    const initial = [random.below(2) === 0 ? 2 ** 32 - 20 : 100, random.below(2) === 0 ? 2 ** 32 - 9 : 200] as const;
    const [client, server] = [initial[0] + 1 + REQUEST.length, initial[1] + 1];
    const isAnswered = random.below(2) === 0;
    const endings = Array.from({ length: random.below(5) }, (_, index): Ending => {
      const kind = random.below(3) === 0 ? 'R' : 'F';
      return { kind, side: random.below(2) === 0 ? 0 : 1, at: 30 + 0.25 * index };
    });
    const next = [client, isAnswered ? server + RESPONSE.length : server] as const;
    const segments: BuiltSegment[] = [
      ...handshake(initial),
      { side: 0, sequence: initial[0] + 1, acknowledgment: server, payload: REQUEST, flags: 'P.', at: 10 },
      ...endings.map(({ kind, side, at }): BuiltSegment => {
        const [sequence, acknowledgment] = side === 0 ? next : [next[1], next[0]];
        return { side, sequence, acknowledgment, flags: `${kind}.`, at };
      }),
    ];
    const answer: BuiltSegment = { side: 1, sequence: server, acknowledgment: client, payload: RESPONSE, at: 20 };
    const { by, notice, ...facts } = reference(endings);
    const expected = { ...facts, closedBy: sideName(facts.closedBy), resetBy: sideName(facts.resetBy), notice };
    const actual = found(isAnswered ? [...segments, answer] : segments);
    const { exchanges } = actual;
    expect(actual, `seed ${seed}`).toMatchObject({ flows: 1, ...expected });
    seen.add(`${facts.state} ${isAnswered}`);
    if (isAnswered) {
      expect(exchanges, `seed ${seed}`).toEqual([{ status: '200', incomplete: undefined, endedBy: undefined }]);
      // The answer may come a moment after the server's first segment with FIN or RST: another network card had it.
      if (endings[0]?.side === 1) {
        const late = found([...segments, { ...answer, at: 31.5 }]);
        expect(late, `late, seed ${seed}`).toEqual(actual);
        // Or never: the connection ends in the same way, and a FIN's sequence number shows that it was sent.
        const lost = found(segments);
        expect({ ...lost, exchanges }, `lost, seed ${seed}`).toEqual(actual);
        if (endings[0].kind === 'F')
          expect(lost.exchanges, `lost, seed ${seed}`).toMatchObject([{ incomplete: 'response not captured' }]);
      }
    } else {
      expect(exchanges, `seed ${seed}`).toHaveLength(1);
      // Of a connection that has not ended, a server's FIN says so much to the protocol.
      if (by !== undefined) expect(exchanges[0]?.endedBy, `seed ${seed}`).toBe(by);
      const [incomplete] = exchanges.map((exchange) => exchange.incomplete);
      if (facts.state === 'reset' && notice.length > 0) expect(incomplete, `seed ${seed}`).toBe('reset');
      if (facts.state === 'closed') expect(incomplete, `seed ${seed}`).toBe('no response');
    }
  }
  expect(seen.size).toBe(8);
});

test.each([
  [1, 'refused', 'connection refused'],
  [0, 'reset', 'connection reset'],
] as const)('a SYN that side %i resets: %s', (side, state, label) => {
  const [syn] = handshake([100, 200]);
  const rst: BuiltSegment =
    side === 1
      ? { side, sequence: 0, acknowledgment: 101, flags: 'R.', at: 1 }
      : { side, sequence: 101, flags: 'R', at: 1 };
  const { flows, ...ended } = found([...(syn === undefined ? [] : [syn]), rst, { ...rst, at: 2 }]);
  expect(ended).toMatchObject({ state, resetBy: SIDES[side], notice: [{ label, from: side, time: 1e6 }] });
  expect(flows).toBe(1);
});
