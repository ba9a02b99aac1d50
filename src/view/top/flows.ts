import type { DirectionFacts, FlowFacts, TcpFacts } from '../../analyze/flow/flow-facts.ts';
import type { FlowRecord } from '../../analyze/record/record.ts';
import { clockText } from '../time-text.ts';
import { byteSize, grouped, latencyText } from '../units.ts';
import type { TopColumn } from './columns.ts';
import { DetailView } from './detail-view.ts';
import { flowDetail } from './flow-detail.ts';
import { LOOK, type Span, span } from './line.ts';
import type { TopModel } from './model.ts';
import { peerSpan } from './peer-span.ts';
import { type TableOrder, TableView } from './table-view.ts';
import type { ViewKind } from './view.ts';

/** Connections and other flows, with the health of TCP. */
export const flows: ViewKind = {
  name: 'flows',
  about: 'connections: round trips, retransmissions, windows, who closed or reset them',
  keys: [['Enter', 'details of one flow; Esc back']],
  create: (model) =>
    new DetailView(
      (open) =>
        new TableView<FlowFacts>({
          columns: columns(model),
          orders: ORDERS,
          rows: () => model.flows.facts,
          keyOf: ({ id }) => id,
          noun: 'flows',
          empty: 'No flows yet.',
          enter: ({ id }) => {
            let last: FlowFacts | undefined;
            open(() => {
              last = model.flows.facts.find((each) => each.id === id) ?? last;
              return last === undefined ? [] : flowDetail(model, last);
            });
          },
        }),
    ),
};

/** Retransmissions and zero windows; a connection that was refused, reset or not answered counts as one more. Other flows come after TCP. */
function troubles({ tcp }: FlowFacts): number {
  if (tcp === undefined) return -1;
  const { client, server, state, resetBy } = tcp;
  const broken = resetBy !== undefined || state === 'refused' || state === 'unanswered';
  return retransmissions(tcp) + client.zeroWindows + server.zeroWindows + (broken ? 1 : 0);
}

const retransmissions = ({ client, server }: TcpFacts) => client.retransmissions + server.retransmissions;
const bytes = (facts: FlowFacts) => facts.client.bytes + facts.server.bytes;

function columns(model: TopModel): TopColumn<FlowFacts>[] {
  const records = new WeakMap<FlowFacts, FlowRecord>();
  const recordOf = (facts: FlowFacts): FlowRecord => {
    const record = records.get(facts) ?? model.flows.record(facts);
    records.set(facts, record);
    return record;
  };
  const peer = (title: string, side: 'src' | 'dst'): TopColumn<FlowFacts> => ({
    title,
    width: 14,
    grows: true,
    rank: 0,
    cell: (facts) => peerSpan(recordOf(facts)[side], side === 'dst'),
  });
  const count = (title: string, rank: number, pick: (tcp: TcpFacts) => number): TopColumn<FlowFacts> => ({
    title,
    width: title.length,
    right: true,
    rank,
    cell: ({ tcp }) => {
      const value = tcp === undefined ? 0 : pick(tcp);
      return value === 0 ? span(tcp === undefined ? '' : '0') : span(grouped(value), LOOK.failure);
    },
  });
  const time = (title: string, rank: number, pick: (tcp: TcpFacts) => number | undefined): TopColumn<FlowFacts> => ({
    title,
    width: 7,
    right: true,
    rank,
    cell: ({ tcp }) => {
      const value = tcp === undefined ? undefined : pick(tcp);
      return span(value === undefined ? '' : latencyText(value));
    },
  });
  const size = (title: string, pick: (facts: FlowFacts) => DirectionFacts): TopColumn<FlowFacts> => ({
    title,
    width: 8,
    right: true,
    rank: 4,
    cell: (facts) => span(byteSize(pick(facts).bytes)),
  });
  return [
    {
      title: 'SINCE',
      width: 8,
      rank: 5,
      cell: (facts) => span(clockText(recordOf(facts).time).slice(0, 8), LOOK.aside),
    },
    peer('CLIENT', 'src'),
    peer('SERVER', 'dst'),
    { title: 'PROTO', width: 6, rank: 3, cell: (facts) => span(model.titleOf(recordOf(facts).protocol)) },
    { title: 'STATE', width: 16, rank: 0, cell: stateCell },
    time('SETUP', 3, ({ setup }) => setup),
    time('RTT', 1, longerRtt),
    count('RETRANS', 0, retransmissions),
    count('ZEROWIN', 2, ({ client, server }) => client.zeroWindows + server.zeroWindows),
    size('SENT', ({ client }) => client),
    size('RECEIVED', ({ server }) => server),
  ];
}

function stateCell({ tcp, transport }: FlowFacts): Span {
  if (tcp === undefined) return span(transport.toUpperCase(), LOOK.aside);
  const { state, resetBy, closedBy } = tcp;
  if (state === 'refused' || state === 'unanswered') return span(state, LOOK.failure);
  if (resetBy !== undefined) return span(`reset by ${resetBy}`, LOOK.failure);
  return closedBy === undefined ? span(state, LOOK.good) : span(`${state} by ${closedBy}`);
}

const down = (name: string, pick: (facts: FlowFacts) => number): TableOrder<FlowFacts> => ({
  name,
  compare: (a, b) => pick(b) - pick(a) || b.last - a.last || b.id - a.id,
});

const ORDERS: readonly TableOrder<FlowFacts>[] = [
  down('trouble', troubles),
  down('last packet', ({ last }) => last),
  down('begin', ({ first }) => first),
  down('round trip', ({ tcp }) => (tcp === undefined ? -1 : (longerRtt(tcp) ?? tcp.handshakeRtt ?? -1))),
  down('bytes', bytes),
  down('duration', ({ first, last }) => last - first),
];

/** Of the round trips to either end the longer one: the place of capture is mostly at one of them. */
function longerRtt({ rtt }: TcpFacts): number | undefined {
  if (rtt.client === undefined || rtt.server === undefined) return rtt.client?.mean ?? rtt.server?.mean;
  return Math.max(rtt.client.mean, rtt.server.mean);
}
