import { expect, test } from 'vitest';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { DirectionMarks } from '../../../src/analyze/trace/direction-marks.ts';
import { Trail } from '../../../src/analyze/trace/trails.ts';
import { bytesOf, type Leg, vantagesOf } from '../../../src/analyze/trace/vantages.ts';

const [CLIENT, SERVER] = [1, 2];
const [BRIDGE, VETH, POD] = [1 << 16, 2 << 16, 3 << 16];

/** A connection at places, of each the times of its request (10 bytes) and of its response (20 bytes). */
function leg(
  places: readonly (readonly [place: number, request: number, response: number])[],
): Leg & { readonly trail: Trail<DirectionMarks> } {
  const trail = new Trail(CLIENT, 40_000, SERVER, () => new DirectionMarks());
  for (const [place, request, response] of places) {
    const at = trail.add(place, 0);
    at?.marks[0].add(101, 10, request);
    at?.marks[1].add(501, 20, response);
  }
  return { id: 0, clientHost: CLIENT, clientPort: 40_000, serverHost: SERVER, serverPort: 80, trail };
}

const exchange = (request: number, response: number): Exchange => ({
  kind: 'exchange',
  protocol: 'http',
  label: 'GET /',
  fields: {},
  time: request,
  requestEnd: request,
  responseTime: response,
  responseEnd: response,
  requestBytes: 10,
  responseBytes: 20,
  status: '200',
  failed: false,
  route: 'GET /',
});

test('an exchange whose response was first seen at another place than its request is seen at all places', () => {
  // The place that counted, a bridge, passed on the SYN alone.
  const own = leg([
    [VETH, 1000, 5010],
    [POD, 1002, 5000],
  ]);
  const bytes = bytesOf(exchange(1000, 5000), own);
  expect(bytes).toMatchObject({ requestFirst: 101, requestLast: 110, responseFirst: 501, responseLast: 520 });
  const vantages = bytes === undefined ? [] : vantagesOf(exchange(1000, 5000), bytes, [own]);
  const times = vantages.map(({ place, requestEnd, responseStart }) => [place, requestEnd, responseStart]);
  expect(times).toEqual([
    [VETH, 1000, 5010],
    [POD, 1002, 5000],
  ]);
});

test('places that had different bytes at the time of a response do not show which it is', () => {
  const own = leg([
    [VETH, 1000, 5010],
    [POD, 1002, 5000],
    [BRIDGE, 1001, 4000],
  ]);
  own.trail.places[2]?.marks[1].add(521, 20, 5000);
  expect(bytesOf(exchange(1000, 5000), own)).toMatchObject({ place: VETH, responseFirst: undefined });
});
