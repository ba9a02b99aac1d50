// A capture that was cut into files, or sections, whose interfaces have no name: tcpdump's rotation, editcap.
import { expect, test } from 'vitest';
import { CaptureAnalysis } from '../../../src/analyze/engine/capture-analysis.ts';
import { Places } from '../../../src/analyze/engine/places.ts';
import type { FlowFacts } from '../../../src/analyze/flow/flow-facts.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { interfaceDescription, sectionHeader } from '../../../src/wire/pcapng-write.ts';
import { type BuiltSegment, builtBlocks, builtPcap } from '../../support/built-capture.ts';

const REQUEST = 'GET /a HTTP/1.1\r\nHost: web\r\n\r\n';
const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n';
const [requested, answered] = [1 + REQUEST.length, 1 + RESPONSE.length];
const SEGMENTS: readonly BuiltSegment[] = [
  { side: 0, sequence: 0, flags: 'S', at: 0 },
  { side: 1, sequence: 0, acknowledgment: 1, flags: 'S.', at: 1 },
  { side: 0, sequence: 1, acknowledgment: 1, at: 2 },
  { side: 0, sequence: 1, acknowledgment: 1, payload: REQUEST, at: 3 },
  { side: 1, sequence: 1, acknowledgment: requested, at: 4 },
  { side: 1, sequence: 1, acknowledgment: requested, payload: RESPONSE, at: 8 },
  { side: 0, sequence: requested, acknowledgment: answered, at: 9 },
  { side: 0, sequence: requested, acknowledgment: answered, flags: 'F.', at: 10 },
  { side: 1, sequence: answered, acknowledgment: requested + 1, flags: 'F.', at: 11 },
  { side: 0, sequence: requested + 1, acknowledgment: answered + 1, at: 12 },
];

/** @param between called before each piece but the first */
function analysed(pieces: readonly Uint8Array[], between: (capture: CaptureAnalysis) => void = () => undefined) {
  const exchanges: Exchange[] = [];
  const flows: FlowFacts[] = [];
  const capture: CaptureAnalysis = new CaptureAnalysis(
    {
      event: (event) => {
        if (event.kind === 'exchange') exchanges.push(event);
      },
      flowEnded: (flow) => void flows.push(flow.facts()),
    },
    { detail: true, showSecrets: false },
  );
  for (const [index, piece] of pieces.entries()) {
    if (index > 0) between(capture);
    capture.push(piece);
  }
  capture.end();
  const { clock, copies } = capture.analysis;
  return {
    copies,
    exchanges: exchanges.map(({ time, responseEnd }) => [time, responseEnd].map((one) => (one ?? Number.NaN) / 1e6)),
    flows: flows.map(({ client, server, tcp }) => [client.packets, server.packets, tcp?.state]),
    span: (clock.latest - clock.earliest) / 1e6,
  };
}

const WHOLE = { copies: 0, exchanges: [[3, 8]], flows: [[6, 4, 'closed']], span: 12 };
const cuts = SEGMENTS.slice(1).map((_, index) => index + 1);

test.each(cuts)('files that continue each other, cut before packet %i', (cut) => {
  const pieces = [builtPcap(SEGMENTS.slice(0, cut)), builtPcap(SEGMENTS.slice(cut))];
  expect(analysed(pieces, (capture) => capture.framer.nextFile(true))).toEqual(WHOLE);
});

test.each(cuts)('sections of one file, cut before packet %i: nothing is missing from the counts', (cut) => {
  const section = (segments: readonly BuiltSegment[]) =>
    Buffer.concat([
      sectionHeader('test'),
      interfaceDescription({ linkType: 1, snaplen: 0, name: '', description: '' }),
      ...builtBlocks(segments),
    ]);
  const found = analysed([section(SEGMENTS.slice(0, cut)), section(SEGMENTS.slice(cut))]);
  expect(found).toMatchObject({ copies: 0, flows: WHOLE.flows });
});

test('an interface without a name that keeps its number keeps its place, and others are places of their own', () => {
  const places = new Places();
  const unnamed = { name: '', description: '' };
  expect([places.add(0, unnamed), places.add(0, unnamed), places.add(1, unnamed)]).toEqual([false, false, true]);
  expect(places.ofInterface(0)).not.toBe(places.ofInterface(1));
});

test('the span of SYNs whose times go back is not stated', () => {
  const syn = (at: number): BuiltSegment => ({ side: 0, sequence: 0, flags: 'S', at });
  const spans: (number | undefined)[] = [];
  const capture: CaptureAnalysis = new CaptureAnalysis(
    { event: () => undefined, flowEnded: (flow) => void spans.push(flow.facts().tcp?.synSpan) },
    { detail: true, showSecrets: false },
  );
  capture.push(builtPcap([syn(5000), syn(1000)]));
  capture.end();
  expect(spans).toEqual([undefined]);
});
