import type { EventRecord } from '../../analyze/record/record.ts';
import { incompleteText } from '../event-line.ts';
import { clockText } from '../time-text.ts';
import { byteSize, latencyText } from '../units.ts';
import type { TopColumn } from './columns.ts';
import { DetailView } from './detail-view.ts';
import { EventListView } from './event-list.ts';
import { exchangeDetail } from './exchange-detail.ts';
import { LOOK, type Span, span } from './line.ts';
import type { TopModel } from './model.ts';
import { peerSpan } from './peer-span.ts';
import type { ViewKind } from './view.ts';

/** Requests, messages and events as they come. */
export const exchanges: ViewKind = {
  name: 'exchanges',
  about: 'requests, messages and events, newest last; the list follows while the cursor is on the last line',
  keys: [
    ['f', 'stop following, or follow again'],
    ['Enter', 'one exchange: request, response, timings, flow, packets in hex (secrets not masked); Esc back'],
  ],
  create: (model) =>
    new DetailView(
      (open) =>
        new EventListView({
          columns: columns(model),
          events: () => model.events,
          enter: (record) => open(exchangeDetail(model, record)),
        }),
    ),
};

function columns(model: TopModel): TopColumn<EventRecord>[] {
  const size = (title: string, rank: number, pick: (record: EventRecord) => number | undefined) => ({
    title,
    width: 8,
    right: true,
    rank,
    cell: (record: EventRecord) => {
      const value = pick(record);
      return span(value === undefined ? '' : byteSize(value));
    },
  });
  return [
    { title: 'TIME', width: 12, rank: 2, cell: ({ time }) => span(clockText(time).slice(0, 12), LOOK.aside) },
    { title: 'FROM', width: 12, grows: true, rank: 1, cell: ({ src }) => peerSpan(src, false) },
    { title: 'TO', width: 12, grows: true, rank: 0, cell: ({ dst }) => peerSpan(dst, true) },
    { title: 'PROTO', width: 6, rank: 3, cell: ({ protocol }) => span(model.titleOf(protocol)) },
    { title: 'WHAT', width: 16, grows: true, rank: 0, cell: whatCell },
    { title: 'STATUS', width: 15, rank: 0, cell: statusCell },
    {
      title: 'LATENCY',
      width: 7,
      right: true,
      rank: 0,
      cell: ({ latency }) => span(latency === undefined ? '' : latencyText(latency)),
    },
    size('SENT', 5, ({ requestBytes }) => requestBytes),
    size('RECEIVED', 4, ({ responseBytes }) => responseBytes),
  ];
}

function whatCell({ kind, label, failed }: EventRecord): Span {
  if (kind === 'event') return span(label, failed ? LOOK.failure : LOOK.warning);
  return span(label);
}

function statusCell(record: EventRecord): Span {
  const { status, incomplete, code, failed } = record;
  const missing = incomplete === undefined ? undefined : incompleteText(record);
  const text = [status, missing, code].filter((each) => each !== undefined).join(', ');
  if (failed) return span(text, LOOK.failure);
  return span(text, incomplete === undefined ? LOOK.plain : LOOK.warning);
}
