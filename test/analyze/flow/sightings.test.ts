import { expect, test } from 'vitest';
import { FlowSightings, type HeldDatagram } from '../../../src/analyze/flow/sightings.ts';
import { PLACES_PER_FLOW, SPARE_BYTES } from '../../../src/analyze/limits.ts';

const datagram = (hash: number, time: number, bytes: number): HeldDatagram => ({
  direction: 0,
  bytes: new Uint8Array(bytes),
  wireLength: bytes,
  time,
  place: 1,
  hash,
});

test('datagrams that wait are bounded by their bytes; those that were taken make room', () => {
  const sightings = new FlowSightings(0, 0, false);
  const half = SPARE_BYTES / 2;
  expect([1, 2, 3].map((time) => sightings.hold(datagram(time, time, half)))).toEqual([true, true, false]);
  expect(sightings.heldBytes).toBe(2 * half);
  expect(sightings.takeHeld(0)).toEqual([]);
  expect(sightings.takeHeld(1).map(({ hash }) => hash)).toEqual([1]);
  expect(sightings.heldBytes).toBe(half);
  expect(sightings.hold(datagram(4, 4, half))).toBe(true);
  sightings.unhold(2);
  sightings.unhold(99);
  expect([sightings.heldBytes, sightings.held.map(({ hash }) => hash)]).toEqual([half, [4]]);
  expect(sightings.takeHeld(9)).toHaveLength(1);
  expect(sightings.heldBytes).toBe(0);
});

test('what other places bring is counted from the first packet that the one which counts did not bring', () => {
  const sightings = new FlowSightings(0, 0, true);
  const [first, second] = [sightings.at(7, 1), sightings.at(8, 2)];
  sightings.countNew(1, 100, 60, first);
  expect(sightings.broughtNew(1, 7, 500)).toBe(true);
  expect(sightings.broughtNew(1, 8, 600)).toBe(false);
  for (const at of [first, second]) {
    sightings.countNew(1, 100, 60, at);
    sightings.countNew(1, 50, 10, at);
  }
  sightings.countNew(0, 1, 1, first);
  const counts = ({ newSince, newPlace, newPackets, newBytes, newPayload }: FlowSightings) =>
    [newSince, newPlace, newPackets, newBytes, newPayload].map(([, server]) => server);
  expect(counts(sightings)).toEqual([500, 8, 2, 150, 70]);
  expect(sightings.newPackets[0]).toBe(0);
  sightings.counted(1);
  expect(counts(sightings)).toEqual([Number.NaN, 8, 0, 0, 0]);
  // What came before is not counted with what comes later.
  sightings.broughtNew(1, 7, 900);
  sightings.countNew(1, 30, 20, first);
  expect(counts(sightings)).toEqual([900, 7, 1, 30, 20]);
});

test('of datagrams, whose copies are known, what all other places bring is counted', () => {
  const sightings = new FlowSightings(0, 0, false);
  sightings.broughtNew(0, 7, 500);
  sightings.countNew(0, 100, 60, sightings.at(7, 1));
  sightings.countNew(0, 50, 10, sightings.at(8, 2));
  const { newPackets, newBytes, newPayload } = sightings;
  expect([newPackets[0], newBytes[0], newPayload[0]]).toEqual([2, 150, 70]);
});

test('segments at another place: what is lost there, what fills a hole, and what comes again, across the end of the numbers', () => {
  const place = new FlowSightings(0, 0, true).at(1, 1);
  const seen = place?.directions[0];
  const first = -50;
  const counts = () => [seen?.lost, seen?.retransmissions];
  seen?.segment(first, 100);
  expect(counts()).toEqual([0, 0]);
  // An ACK is no segment.
  seen?.segment(first - 1, 0);
  expect(counts()).toEqual([0, 0]);
  seen?.segment(first + 200, 100);
  expect(counts()).toEqual([100, 0]);
  seen?.segment(first + 100, 100);
  expect(counts()).toEqual([0, 0]);
  seen?.segment(first + 200, 100);
  expect(counts()).toEqual([0, 1]);
  seen?.segment(first + 250, 100);
  expect(counts()).toEqual([0, 1]);
  expect(seen?.facts()).toMatchObject({ packets: 0, first: undefined, last: undefined });
  seen?.add(60, 7);
  seen?.add(40, 9);
  expect(seen?.facts()).toMatchObject({ packets: 2, bytes: 100, first: 7, last: 9 });
});

test('the places of one flow are bounded', () => {
  const sightings = new FlowSightings(0, 0, true);
  for (let place = 0; place < PLACES_PER_FLOW; place += 1) expect(sightings.at(place, 1)).toBeDefined();
  expect(sightings.at(PLACES_PER_FLOW, 1)).toBeUndefined();
  expect(sightings.at(0, 1)).toBe(sightings.places[0]);
});

test('times that go back make no sighting that ends before it begins', () => {
  const sightings = new FlowSightings(0, 0, true);
  for (const time of [500, 200, 300]) sightings.at(7, 1)?.directions[0].add(100, time);
  expect(sightings.facts(0)[0]?.client).toMatchObject({ packets: 3, first: 200, last: 500 });
});
