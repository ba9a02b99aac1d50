// Loss in the network is located between two places; loss in the capture is never called that.
import { expect, test } from 'vitest';
import { Random } from '../../support/random.ts';
import { TracedCapture, type TracedConnection } from '../../support/traced-capture.ts';
import { CLIENT, edgeTracesOf, localTracesOf, tracesOf, WEB } from './traces.ts';

const PLACES = ['shop/client-1', 'node1/eth0', 'node2/eth0', 'shop/web-1'];
const SEGMENT = 100;
const RTO = 200;

/** What the network did to a request: segments lost behind each place, by direction. */
interface Truth {
  readonly label: string;
  readonly lost: readonly [request: number[], response: number[]];
}

/** One message of a few segments, some of which the network loses, on its way past all places. @returns when it was there, ms */
function send(
  connection: TracedConnection,
  side: 0 | 1,
  message: Buffer,
  start: number,
  lost: number[],
  random: Random,
): number {
  let done = start;
  const count = Math.ceil(message.length / SEGMENT);
  const last = PLACES.length - 1;
  // Where a copy gets lost: behind so many places of its way; at the last one it has arrived.
  const way = (at: number, arrives: number) =>
    PLACES.map((_, place) => {
      const passed = side === 0 ? place : last - place;
      return passed <= arrives ? at + passed : undefined;
    });
  const waiting: { index: number; at: number }[] = [];
  const fate = () => (random.below(5) === 0 ? random.below(last) : last);
  const note = (arrives: number) => {
    const link = side === 0 ? arrives : last - arrives - 1;
    if (arrives < last) lost[link] = (lost[link] ?? 0) + 1;
  };
  for (let index = 0; index < count; index += 1) {
    const at = start + index;
    const arrives = fate();
    note(arrives);
    connection.send(side, message.subarray(index * SEGMENT, (index + 1) * SEGMENT), way(at, arrives));
    done = Math.max(done, at + last);
    // An acknowledgment that gets lost has the same effect: the segment is sent again for nothing.
    if (arrives < last || random.below(10) === 0) waiting.push({ index, at: at + RTO });
  }
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    // A response that is lost again keeps the client's place silent for so long that another one counts from then on.
    const arrives = side === 1 ? last : fate();
    note(arrives);
    const { index, at } = next;
    const segment = message.subarray(index * SEGMENT, (index + 1) * SEGMENT);
    connection.resend(side, message.length - index * SEGMENT, segment, way(at, arrives));
    done = Math.max(done, at + last);
    if (arrives < last) waiting.push({ index, at: at + RTO });
  }
  return done;
}

/** Requests and responses over a network that loses segments. */
function lossy(random: Random): { capture: TracedCapture; truths: Truth[] } {
  const capture = new TracedCapture(PLACES.map((name) => (name.startsWith('shop') ? `${name}/any` : name)));
  const places = PLACES.map((_, interfaceId) => ({
    interfaceId,
    ttl: 64 - interfaceId,
    // The client's place counts: its packets come first. Times of two places are never the same.
    ahead: interfaceId === 0 ? 0 : random.below(200) + interfaceId / 10,
  }));
  const connection = capture.connection(places, [CLIENT, 40_000], [WEB, 8080], [1000, 9000]).handshake(900);
  const truths: Truth[] = [];
  let at = 1000;
  for (let index = 0; index < 6; index += 1) {
    const body = 'x'.repeat(random.below(400));
    const request = `POST /${index} HTTP/1.1\r\nHost: web\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    const answer = 'y'.repeat(random.below(400));
    const response = `HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`;
    const lost: [number[], number[]] = [[], []];
    at = send(connection, 0, Buffer.from(request), at + 10, lost[0], random);
    at = send(connection, 1, Buffer.from(response), at + 10, lost[1], random);
    truths.push({ label: `POST /${index}`, lost });
  }
  return { capture, truths };
}

/** Segments that were truly lost between two places. */
function between(lost: readonly number[], from: number, to: number): number {
  return lost.slice(from, to).reduce((sum, count) => sum + (count ?? 0), 0);
}

/** Captures of each test; more for a long run. */
const ROUNDS = Number(process.env.KSNOOP_TRACE_SEEDS ?? 60);
/** Each of them, and two in which holes of later requests had hidden a loss. */
const SEEDS = [...Array.from({ length: ROUNDS }, (_, index) => index + 1), 970, 1109];

test('of a capture that missed nothing every lost segment is found between the right two places', () => {
  let found = 0;
  for (const seed of SEEDS) {
    const { capture, truths } = lossy(new Random(seed));
    const traces = tracesOf(capture);
    expect(traces.map(({ label }) => label)).toEqual(truths.map(({ label }) => label));
    for (const [index, { hops }] of traces.entries()) {
      const truth = truths[index] as Truth;
      const seen: [number[], number[]] = [
        [0, 0, 0],
        [0, 0, 0],
      ];
      for (const { from, to, lost } of hops) {
        for (const { of, count } of lost) {
          expect(PLACES.indexOf(to ?? '')).toBe(PLACES.indexOf(from) + 1);
          seen[of === 'request' ? 0 : 1][PLACES.indexOf(from)] = count;
          found += count;
        }
      }
      const expected = truth.lost.map((lost) => [0, 1, 2].map((link) => lost[link] ?? 0));
      expect(seen, `seed ${seed} ${truth.label}`).toEqual(expected);
    }
  }
  expect(found).toBeGreaterThan(ROUNDS);
});

test('what a capture missed at any place is never called lost', () => {
  let found = 0;
  let times = 0;
  for (const seed of SEEDS) {
    const random = new Random(seed);
    const { capture, truths } = lossy(random);
    // Most captures miss packets at one or two places.
    const rates = PLACES.map(() => (random.below(3) === 0 ? 10 : 0));
    capture.miss((place) => random.below(100) < (rates[place] ?? 0));
    // On its node an analysis does not have what another place saw of the same flow.
    for (const { label, hops, total } of [...localTracesOf(capture), ...edgeTracesOf(capture)]) {
      const truth = truths.find((one) => one.label === label);
      if (truth === undefined) continue;
      if (total !== undefined) times += 1;
      for (const { from, to, lost } of hops) {
        for (const { of, count } of lost) {
          found += count;
          const most = between(truth.lost[of === 'request' ? 0 : 1], PLACES.indexOf(from), PLACES.indexOf(to ?? ''));
          expect(count, `seed ${seed} ${label} ${from} > ${to}`).toBeLessThanOrEqual(most);
        }
      }
      expect(hops.every(({ latency }) => latency >= 0)).toBe(true);
      expect(total === undefined || hops.reduce((sum, { latency }) => sum + latency, 0) === total).toBe(true);
    }
  }
  expect(found).toBeGreaterThan(ROUNDS / 2);
  expect(times).toBeGreaterThan(ROUNDS * 4);
});
