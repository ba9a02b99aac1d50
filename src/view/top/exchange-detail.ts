import type { FlowFacts } from '../../analyze/flow/flow-facts.ts';
import type { EventRecord } from '../../analyze/record/record.ts';
import { incompleteText } from '../event-line.ts';
import { sanitise } from '../sanitise.ts';
import { cellWidth, inLinesOfCells } from '../text-width.ts';
import { counted, latencyText } from '../units.ts';
import type { Detail } from './detail-view.ts';
import { packetLines, packetsOf } from './exchange-packets.ts';
import { type FieldRow, ownFields } from './field-rows.ts';
import { flowDetail } from './flow-detail.ts';
import { FLOW_PACKETS_SEARCHED } from './limits.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { TopModel } from './model.ts';
import type { LineSource } from './pane.ts';
import { peerFull } from './peer-span.ts';

/** Cells of a name before its value at least, and of a screen's width at most. */
const NAME = 26;
const NAMES_SHARE = 0.4;

interface Section {
  readonly title: string;
  readonly rows: readonly FieldRow[];
  readonly failed?: boolean;
}

/** Everything known about one exchange, message or event, its flow, and its packets as they are kept when it is opened. */
export function exchangeDetail(model: TopModel, record: EventRecord): Detail {
  const ofFlow = model.packets.ofFlow(record.flow, FLOW_PACKETS_SEARCHED);
  const packets = packetsOf(record, ofFlow);
  const sections = sectionsOf(model, record);
  let flow: FlowFacts | undefined;
  let made: { readonly width: number; readonly text: readonly Line[]; readonly hex: readonly LineSource[] } | undefined;
  return (width) => {
    if (made?.width !== width) {
      const place = placeOfValues(sections, width);
      const text = sections.flatMap((section) => sectionLines(section, width, place));
      const heading = `${peerFull(record.src)} > ${peerFull(record.dst)}`;
      made = {
        width,
        text: [line(span(heading, LOOK.strong)), ...text],
        hex: packetLines(packets, ofFlow.length, width),
      };
    }
    // Of an open flow there is more at every look.
    flow = model.flows.facts.find(({ id }) => id === record.flow) ?? flow;
    return [...made.text, ...flowLines(model, record, flow), line(span('')), ...made.hex];
  };
}

function flowLines(model: TopModel, { flow }: EventRecord, facts: FlowFacts | undefined): readonly Line[] {
  const title = line(span(`Flow ${flow}`, LOOK.name));
  return facts === undefined
    ? [line(span('')), title, line(span('no longer in the flow list (evicted or filtered out)', LOOK.aside))]
    : [line(span('')), title, ...flowDetail(model, facts)];
}

function sectionsOf(model: TopModel, record: EventRecord): readonly Section[] {
  const { kind, label, status, incomplete, code, failed, requestBytes, responseBytes } = record;
  const own = ownFields(record);
  const rest = { title: model.titleOf(record.protocol), rows: own.both };
  if (kind !== 'exchange') {
    const rows = rowsOf(['text', label], ['code', code], ['size', bytes(requestBytes)], ['time', record.time]);
    return [{ title: kind === 'event' ? 'Event' : 'Message', rows, failed }, rest];
  }
  const request = rowsOf(['request', label], ['size', bytes(requestBytes)]);
  const missing = incomplete === undefined ? undefined : incompleteText(record);
  const response = rowsOf(['status', status], ['incomplete', missing], ['size', bytes(responseBytes)]);
  return [
    { title: 'Request', rows: [...request, ...own.request] },
    { title: 'Response', rows: [...response, ...own.response], failed },
    { title: 'Timings', rows: timings(record) },
    rest,
  ];
}

function timings(record: EventRecord): readonly FieldRow[] {
  const { time, latency, ttfb, requestTime, serverTime, transferTime } = record;
  const text = (nanoseconds: number | undefined) => (nanoseconds === undefined ? undefined : latencyText(nanoseconds));
  return rowsOf(
    ['request start', time],
    ['request time', text(requestTime)],
    ['server time', text(serverTime)],
    ['time to first byte', text(ttfb)],
    ['transfer time', text(transferTime)],
    ['latency', text(latency)],
  );
}

const bytes = (count: number | undefined) => (count === undefined ? undefined : counted(count, 'byte'));

function rowsOf(...rows: readonly (readonly [name: string, value: string | undefined])[]): readonly FieldRow[] {
  return rows.filter((row): row is FieldRow => row[1] !== undefined && row[1] !== '');
}

/** Where values begin, so that they stand under one another: cells. */
function placeOfValues(sections: readonly Section[], width: number): number {
  const widest = sections
    .flatMap(({ rows }) => rows)
    .reduce((most, [name]) => Math.max(most, cellWidth(sanitise(name)) + 1), 0);
  return Math.min(Math.max(widest, NAME), Math.floor(width * NAMES_SHARE));
}

/** A section's rows, values that are wider than the screen in as many lines as they need. */
function sectionLines({ title, rows, failed }: Section, width: number, place: number): Line[] {
  if (rows.length === 0) return [];
  const lines = [line(span('')), line(span(title, LOOK.name))];
  for (const [index, [name, value]] of rows.entries()) {
    const names = inLinesOfCells(sanitise(name), place - 1);
    const values = inLinesOfCells(sanitise(value), width - place);
    const look = failed === true && index === 0 ? LOOK.failure : LOOK.plain;
    for (let row = 0; row < Math.max(names.length, values.length); row += 1) {
      const shown = names[row] ?? '';
      lines.push(line(span(shown + ' '.repeat(place - cellWidth(shown)), LOOK.aside), span(values[row] ?? '', look)));
    }
  }
  return lines;
}
