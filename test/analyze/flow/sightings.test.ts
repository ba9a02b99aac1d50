import { expect, test } from 'vitest';
import { FlowSightings, type HeldDatagram } from '../../../src/analyze/flow/sightings.ts';
import { SPARE_BYTES } from '../../../src/analyze/limits.ts';

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
  sightings.countNew(1, 100, 60);
  expect(sightings.broughtNew(1, 7, 500)).toBe(true);
  expect(sightings.broughtNew(1, 8, 600)).toBe(false);
  sightings.countNew(1, 100, 60);
  sightings.countNew(1, 50, 10);
  sightings.countNew(0, 1, 1);
  const counts = ({ newSince, newPlace, newPackets, newBytes, newPayload }: FlowSightings) =>
    [newSince, newPlace, newPackets, newBytes, newPayload].map(([, server]) => server);
  expect(counts(sightings)).toEqual([500, 8, 2, 150, 70]);
  expect(sightings.newPackets[0]).toBe(0);
  sightings.counted(1);
  expect(counts(sightings)).toEqual([Number.NaN, 8, 0, 0, 0]);
});
