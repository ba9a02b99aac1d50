// Delay and loss made at one known hop: that hop is named, the parts add up, and the clocks' offsets are found within the stated error.
import { expect, test } from 'vitest';
import { Random } from '../../support/random.ts';
import { TracedCapture } from '../../support/traced-capture.ts';
import { CLIENT, EDGE, get, ok, sum, tracesOf, WEB } from './traces.ts';

const REQUESTS = 400;
/** From then on it is known what each hop usually takes. */
const USUAL = 40;

const CULPRITS = [
  ['network', 'shop/client-1'],
  ['proxy', 'ingress/edge-1'],
  ['network', 'ingress/edge-1'],
  ['server', 'shop/web-1'],
] as const;

/** How far the clocks of the proxy's and of the server's node are ahead, ms. */
const AHEAD = [-700, 41.5] as const;

/** client → edge → web. Every second request is delayed, or loses a segment, at one hop. */
function troubled(random: Random) {
  const capture = new TracedCapture(['shop/client-1/any', 'ingress/edge-1/any', 'shop/web-1/any']);
  const outer = capture.connection(
    [
      { interfaceId: 0, ttl: 64 },
      { interfaceId: 1, ttl: 63, ahead: AHEAD[0] },
    ],
    [CLIENT, 40_000],
    [EDGE, 80],
    [1000, 9000],
  );
  const inner = capture.connection(
    [
      { interfaceId: 1, ttl: 64, ahead: AHEAD[0] },
      { interfaceId: 2, ttl: 62, ahead: AHEAD[1] },
    ],
    [EDGE, 50_000],
    [WEB, 8080],
    [77_000, 88_000],
  );
  outer.handshake(900);
  inner.handshake(905);
  const truths: { readonly path: string; readonly culprit: number; readonly isLost: boolean }[] = [];
  const usual = (most: number) => 0.05 + random.below(most * 1000) / 1000;
  let at = 1000;
  for (let index = 0; index < REQUESTS; index += 1) {
    const culprit = index >= USUAL && index % 2 === 0 ? random.below(CULPRITS.length) : -1;
    const isLost = (culprit === 0 || culprit === 2) && random.below(2) === 0;
    const path = `/cart?n=${index}`;
    const request = get(path);
    const extra = (hop: number) => (culprit === hop && !isLost ? 40 + random.below(200) : 0);
    truths.push({ path, culprit, isLost });
    at += 5;
    const send = (connection: typeof outer, hop: number) => {
      let sent = at;
      if (culprit === hop && isLost) {
        connection.send(0, request, [sent, undefined]);
        sent += 200;
      }
      const arrived = sent + usual(1) + extra(hop);
      connection.send(0, request, [sent, arrived], culprit === hop && isLost);
      at = arrived;
    };
    send(outer, 0);
    at += usual(1) + extra(1);
    send(inner, 2);
    at += 2 + usual(6) + extra(3);
    const back = at + usual(1);
    inner.send(1, ok(), [back, at]);
    at = back + usual(1);
    const done = at + usual(1);
    outer.send(1, ok(), [done, at]);
    at = done;
  }
  return { capture, truths };
}

test('the hop at which delay or loss was made is the slowest in 99 % of the requests it touched', () => {
  const { capture, truths } = troubled(new Random(7));
  const traces = tracesOf(capture);
  expect(traces).toHaveLength(REQUESTS);
  let touched = 0;
  let named = 0;
  let located = 0;
  let lossy = 0;
  for (const [index, { label, hops, slowest, total }] of traces.entries()) {
    const { path, culprit, isLost } = truths[index] as (typeof truths)[number];
    expect(label).toBe(`GET ${path}`);
    // Times are nanoseconds: the parts add up exactly.
    expect(sum(hops)).toBe(total);
    const lost = hops.filter((hop) => hop.lost.length > 0);
    if (!isLost) expect(lost).toEqual([]);
    if (culprit < 0) continue;
    touched += 1;
    const [kind, from] = CULPRITS[culprit] as (typeof CULPRITS)[number];
    const found = hops[slowest ?? -1];
    if (found?.kind === kind && found.from === from) named += 1;
    if (!isLost) continue;
    lossy += 1;
    if (lost.length === 1 && lost[0]?.kind === kind && lost[0].from === from) located += 1;
  }
  expect(touched).toBeGreaterThan(150);
  expect(lossy).toBeGreaterThan(30);
  expect(named / touched).toBeGreaterThanOrEqual(0.99);
  expect(located).toBe(lossy);
});

test('offsets between clocks are found within the error that is stated with them', () => {
  const { capture } = troubled(new Random(8));
  let stated = 0;
  for (const { hops } of tracesOf(capture)) {
    for (const { from, oneWay, latency } of hops) {
      if (oneWay === undefined) continue;
      stated += 1;
      const truth = (from === 'shop/client-1' ? AHEAD[0] : AHEAD[1] - AHEAD[0]) * 1e6;
      expect(Math.abs(oneWay.offset - truth)).toBeLessThanOrEqual(oneWay.error + 1);
      expect(oneWay.request + oneWay.response).toBe(latency);
    }
  }
  expect(stated).toBeGreaterThan(50);
});
