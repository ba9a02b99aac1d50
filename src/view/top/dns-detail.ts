import type { EventRecord } from '../../analyze/record/record.ts';
import type { DnsStats } from '../../analyze/summary/report.ts';
import { clockText } from '../time-text.ts';
import { byteSize, grouped, latencyText } from '../units.ts';
import { headOf, placeColumns, rowOf, type TopColumn } from './columns.ts';
import type { Detail } from './detail-view.ts';
import { ownFields } from './field-rows.ts';
import { LOOKUPS_SEARCHED, LOOKUPS_SHOWN } from './limits.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { TopModel } from './model.ts';
import { peerSpan } from './peer-span.ts';

const NAME = 14;
const COUNT = 9;

/** One name and type: answers, latencies and the last lookups, as they were when it was opened. */
export function dnsDetail(model: TopModel, opened: DnsStats): Detail {
  const lookups = lastLookups(model, opened);
  let row = opened;
  return (width) => {
    row = model.report?.dns.find(({ name, type }) => name === opened.name && type === opened.type) ?? row;
    const placed = placeColumns(COLUMNS, width);
    return [
      line(span(`${row.type ?? ''} ${row.name}`.trimStart(), LOOK.strong)),
      ...answerLines(row),
      ...latencyLines(row),
      line(span('')),
      line(span(lookups.length === 0 ? 'Its lookups are no longer listed.' : 'Last lookups', LOOK.name)),
      ...(lookups.length === 0 ? [] : [headOf(placed), ...lookups.map((each) => rowOf(placed, each))]),
    ];
  };
}

function answerLines({ rcodes, count, failed, incomplete, requestBytes, responseBytes }: DnsStats): readonly Line[] {
  const share = (part: number) =>
    `${grouped(part).padStart(COUNT)}  ${((part / count) * 100).toFixed(1).padStart(5)} %`;
  const one = (name: string, part: number, bad: boolean) =>
    line(span(name.padEnd(NAME), LOOK.aside), span(share(part), bad && part > 0 ? LOOK.warning : LOOK.plain));
  return [
    line(span('')),
    line(span('Answers', LOOK.name)),
    one('lookups', count, false),
    ...Object.entries(rcodes)
      .sort(([, a], [, b]) => b - a)
      .map(([rcode, part]) => one(rcode, part, rcode !== 'NOERROR')),
    one('incomplete', incomplete, true),
    one('failed', failed, true),
    line(
      span('bytes'.padEnd(NAME), LOOK.aside),
      span(`${byteSize(requestBytes)} sent, ${byteSize(responseBytes)} received`),
    ),
  ];
}

function latencyLines({ latency }: DnsStats): readonly Line[] {
  if (latency === undefined) return [];
  const one = (name: string, nanoseconds: number) =>
    line(span(name.padEnd(NAME), LOOK.aside), span(latencyText(nanoseconds).padStart(COUNT)));
  const { p50, p90, p99, max, mean } = latency;
  return [
    line(span('')),
    line(span('Latency', LOOK.name)),
    one('p50', p50),
    one('p90', p90),
    one('p99', p99),
    one('greatest', max),
    one('mean', mean),
  ];
}

/** Of the events that are listed, the newest first. */
function lastLookups({ events }: TopModel, { name, type }: DnsStats): readonly EventRecord[] {
  // As the analysis groups them: the label of a question is its type and its name.
  const label = type === undefined ? name : `${type} ${name}`;
  const found: EventRecord[] = [];
  const oldest = Math.max(events.first, events.end - LOOKUPS_SEARCHED);
  for (let number = events.end - 1; number >= oldest && found.length < LOOKUPS_SHOWN; number -= 1) {
    const record = events.at(number);
    if (record?.protocol === 'dns' && record.kind === 'exchange' && record.label === label) found.push(record);
  }
  return found;
}

const COLUMNS: readonly TopColumn<EventRecord>[] = [
  { title: 'TIME', width: 12, rank: 2, cell: ({ time }) => span(clockText(time).slice(0, 12), LOOK.aside) },
  { title: 'FROM', width: 14, grows: true, rank: 0, cell: ({ src }) => peerSpan(src, false) },
  { title: 'TO', width: 14, grows: true, rank: 1, cell: ({ dst }) => peerSpan(dst, true) },
  {
    title: 'ANSWER',
    width: 12,
    rank: 0,
    cell: ({ status, incomplete, failed }) => span(status ?? incomplete ?? '', failed ? LOOK.failure : LOOK.plain),
  },
  {
    title: 'LATENCY',
    width: 7,
    right: true,
    rank: 0,
    cell: ({ latency }) => span(latency === undefined ? '' : latencyText(Math.max(0, latency))),
  },
  { title: 'DATA', width: 14, grows: true, rank: 1, cell: (record) => span(answered(record)) },
];

/** The answer's records, in one line. */
function answered(record: EventRecord): string {
  const rows = ownFields(record).both.filter(([name]) => name === 'dns.answers');
  return rows.map(([, value]) => /(?:^|, )data (.*)$/.exec(value)?.[1] ?? value).join(', ');
}
