import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/analyze/engine/capture-analysis.ts';
import { analyseBytes, analyseFile } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcapng, handshake } from '../../support/built-capture.ts';

const here = (name: string) => join(import.meta.dirname, 'captures', name);
const GET = 'GET /a HTTP/1.1\r\nHost: shop\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const PLACES = ['shop/client/any', 'shop/web/any'];

/** `count` exchanges from `at` on, 10 ms apart, an answer 1 ms after its request. */
function exchanges(count: number, at: number, from = 0): BuiltSegment[] {
  return Array.from({ length: count }, (_, index) => index + from).flatMap((number): BuiltSegment[] => {
    const [sequence, answer] = [101 + number * GET.length, 201 + number * OK.length];
    const time = at + (number - from) * 10;
    return [
      { side: 0, sequence, acknowledgment: answer, payload: GET, at: time },
      { side: 1, sequence: answer, acknowledgment: sequence + GET.length, payload: OK, at: time + 1 },
    ];
  });
}

const brief = (capture: Uint8Array) =>
  analyseBytes(capture).events.map(({ event }) => {
    if (event.kind !== 'exchange') return event.label;
    const latency = event.responseEnd === undefined ? '-' : String(Math.round((event.responseEnd - event.time) / 1e3));
    return `${event.label} ${event.status} ${latency} ${event.incomplete ?? ''}`.trim();
  });

test('a place that falls silent hands over to the one that goes on: nothing is lost, and no copy is counted', async () => {
  const { events, flows, copies } = await analyseFile(here('interface-changes-rotated-cat.pcapng'));
  expect(events.map(({ event }) => event.label)).toHaveLength(12);
  expect(copies).toBe(0);
  const counts = flows.map(({ client, server }) => [client.packets, server.packets]);
  expect(counts).toEqual(expect.arrayContaining([[6, 6]]));
  expect(counts.flat().reduce((sum, count) => sum + count, 0)).toBe(33);
});

test('two places that go on where the one that counted fell silent count once', () => {
  const all = [...handshake([100, 200]), ...exchanges(6, 10)];
  const counted = all.filter(({ at }) => at < 30);
  const at = (place: number) =>
    all
      .map((segment) => ({ ...segment, interfaceId: place, at: segment.at + place / 10 }))
      .filter((each) => each.at > 9);
  const packets = [...counted, ...at(1), ...at(2)].sort((one, other) => one.at - other.at);
  const { flows, copies } = analyseBytes(builtPcapng(packets, [...PLACES, 'node/node1/any']));
  const alone = analyseBytes(builtPcapng(all, PLACES)).flows[0];
  expect([flows[0]?.client, flows[0]?.server]).toEqual([alone?.client, alone?.server]);
  expect(copies).toBe(packets.length - all.length);
});

test('what the other place brings counts while the capture goes on, not at its end alone', () => {
  const all = [...handshake([100, 200]), ...exchanges(400, 10)];
  // The first place falls silent behind the second exchange.
  const silent = all.filter(({ at }) => at < 30);
  const other = all.map((segment) => ({ ...segment, interfaceId: 1, at: segment.at + 0.1 }));
  const packets = [...silent, ...other].sort((one, another) => one.at - another.at);
  const labels: string[] = [];
  const sink = { event: ({ label }: { readonly label: string }) => void labels.push(label), flowEnded: () => {} };
  new CaptureAnalysis(sink, { detail: false, showSecrets: false }).framer.push(builtPcapng(packets, PLACES));
  expect(labels.length).toBeGreaterThan(390);
  expect(labels).toEqual(labels.map(() => 'GET /a'));
});

test("a capture's own rotation: files put one behind another, whose interfaces have other numbers in each", async () => {
  const { events, flows } = await analyseFile(here('interface-changes-own-rotation.pcapng'));
  const labels = events.map(({ event }) => event.label);
  expect(labels).toEqual(Array.from({ length: 80 }, (_, index) => `A n${index + 1}.example`));
  expect(
    events.every(({ event }) => event.kind === 'exchange' && event.incomplete === undefined && !event.failed),
  ).toBe(true);
  expect([flows[0]?.client.packets, flows[0]?.server.packets]).toEqual([80, 80]);
});

test('what only another place has seen is read without a latency: its clock is another', () => {
  const first = [...handshake([100, 200]), ...exchanges(4, 10)];
  const copies = first.map((segment) => ({ ...segment, interfaceId: 1, at: segment.at + 5000 }));
  // The answer to the second request was lost at the first place; the other place's clock is 5 s ahead.
  const lost = first.filter((_, index) => index !== 6);
  const all = [...lost, ...copies].sort((a, b) => a.at - b.at);
  expect(brief(builtPcapng(lost, PLACES))).toEqual([
    'GET /a 200 1000',
    'GET /a  - response not captured',
    'GET /a 200 1000',
    'GET /a 200 1000',
  ]);
  // Seen in time it fills the hole, but no latency comes of two clocks.
  const soon = [...lost, ...copies.map((segment) => ({ ...segment, at: segment.at - 4999.9 }))];
  expect(
    brief(
      builtPcapng(
        soon.sort((a, b) => a.at - b.at),
        PLACES,
      ),
    ),
  ).toEqual(['GET /a 200 1000', 'GET /a 200 -', 'GET /a 200 1000', 'GET /a 200 1000']);
  expect(analyseBytes(builtPcapng(all, PLACES)).flows).toHaveLength(1);
});

test('sightings state what each place has seen, and a loss between them', () => {
  const [request, answer] = exchanges(1, 10) as [BuiltSegment, BuiltSegment];
  const sent = { ...request, at: 300 };
  const seen = [...handshake([100, 200]), request, sent, { ...answer, at: 301 }];
  // The first transmission was lost on the way to the second place.
  const other = seen
    .filter((segment) => segment !== request)
    .map((segment) => ({ ...segment, interfaceId: 1, at: segment.at + 0.1 }));
  const { flows } = analyseBytes(
    builtPcapng(
      [...seen, ...other].sort((a, b) => a.at - b.at),
      PLACES,
    ),
  );
  expect(flows[0]?.tcp?.client.retransmissions).toBe(1);
  expect(flows[0]?.sightings).toMatchObject([
    { interfaceId: 1, client: { packets: 3, retransmissions: 0 }, server: { packets: 2, lost: 0 } },
  ]);
});

test('the same packet twice at one place is a copy, not a retransmission', async () => {
  const { events, flows, copies } = await analyseFile(here('any-sll1-duplicates.pcap'));
  expect(copies).toBe(26);
  expect(events).toHaveLength(5);
  expect(flows[0]?.tcp).toMatchObject({
    client: { retransmissions: 0, duplicateAcks: 0 },
    server: { retransmissions: 0 },
  });
});
