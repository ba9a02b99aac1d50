import { sanitise } from '../sanitise.ts';
import { byteSize, counted, grouped } from '../units.ts';
import { headOf, placeColumns, rowOf, type TopColumn } from './columns.ts';
import { type Line, LOOK, line, span } from './line.ts';
import type { CaptureState, NodeState, Remark, TargetState, TopModel } from './model.ts';
import { type LineSource, Pane } from './pane.ts';
import type { ViewKind } from './view.ts';

/** Targets, losses, nodes and memory of the capture. */
export const capture: ViewKind = {
  name: 'capture',
  about: 'the capture itself: packets and losses per pod, nodes, clocks, transports, memory, events',
  keys: [],
  create: (model) => {
    const pane = new Pane();
    return {
      orders: [],
      order: undefined,
      sortBy: () => {},
      lines: (width, height) => pane.lines(page(model, width), height),
      key: ({ name }) => pane.key(name),
      get status() {
        return pane.status;
      },
    };
  },
};

const lossCell = (count: number) => (count === 0 ? span('0') : span(grouped(count), LOOK.failure));

const TARGETS: readonly TopColumn<TargetState>[] = [
  { title: 'TARGET', width: 16, grows: true, rank: 0, cell: ({ label }) => span(label, LOOK.name) },
  {
    title: 'STATE',
    width: 10,
    grows: true,
    rank: 1,
    cell: (row) => span(row.state, row.failed ? LOOK.failure : LOOK.plain),
  },
  { title: 'PACKETS', width: 10, right: true, rank: 0, cell: ({ packets }) => span(grouped(packets)) },
  { title: 'BYTES', width: 8, right: true, rank: 1, cell: ({ bytes }) => span(byteSize(bytes)) },
  { title: 'LOST KERNEL', width: 11, right: true, rank: 0, cell: ({ droppedByKernel }) => lossCell(droppedByKernel) },
  { title: 'KSNOOP', width: 7, right: true, rank: 0, cell: ({ droppedByKsnoop }) => lossCell(droppedByKsnoop) },
  { title: 'CUT', width: 7, right: true, rank: 3, cell: ({ truncated }) => lossCell(truncated) },
  {
    title: 'INTERFACE',
    width: 14,
    grows: true,
    rank: 2,
    cell: ({ interfaces }) => span(interfaces.join(', '), LOOK.aside),
  },
];

const NODES: readonly TopColumn<NodeState>[] = [
  { title: 'NODE', width: 16, grows: true, rank: 0, cell: ({ node }) => span(node, LOOK.name) },
  { title: 'CLOCK', width: 22, rank: 1, cell: clockCell },
  { title: 'TRANSPORT', width: 12, rank: 1, cell: ({ way }) => span(way ?? '-') },
  {
    title: 'STATE',
    width: 20,
    grows: true,
    rank: 0,
    cell: (row) => span(row.state, row.failed ? LOOK.failure : LOOK.good),
  },
];

function clockCell({ clock }: NodeState) {
  if (clock === undefined) return span('unknown', LOOK.aside);
  const { offsetMs, errorMs } = clock;
  const text = `${Math.abs(offsetMs).toFixed(1)} ms ${offsetMs < 0 ? 'behind' : 'ahead'} ±${errorMs.toFixed(1)}`;
  return span(text, Math.abs(offsetMs) > errorMs ? LOOK.warning : LOOK.plain);
}

function page(model: TopModel, width: number): readonly LineSource[] {
  const state = model.capture;
  const { packets } = model;
  const heading = (text: string) => line(span(text, LOOK.strong));
  const remarks = state.remarks.map((remark) => () => remarkLine(remark));
  const gone = packets.dropped === 0 ? '' : `, ${counted(packets.dropped, 'older packet')} dropped`;
  return [
    line(span(`${counted(state.packets, 'packet')}, ${byteSize(state.bytes)}, lost: ${lossText(state)}`)),
    line(
      span(
        packets.onNodes
          ? 'packets for w: none, with --edge they stay on their nodes'
          : `packets for w: ${counted(packets.count, 'packet')}, ${byteSize(packets.bytes)}${gone}`,
      ),
    ),
    line(span(`memory of ksnoop: ${byteSize(state.memory)}`)),
    ...state.bounds.map((text) => line(span(text, LOOK.warning))),
    ...table('Targets', TARGETS, state.targets, width),
    ...table('Nodes', NODES, state.nodes, width),
    ...(remarks.length === 0 ? [] : [line(span('')), heading('Events'), ...remarks.reverse()]),
  ];
}

function table<Row>(
  head: string,
  columns: readonly TopColumn<Row>[],
  rows: readonly Row[],
  width: number,
): LineSource[] {
  if (rows.length === 0) return [];
  const placed = placeColumns(columns, width);
  return [
    line(span('')),
    line(span(head, LOOK.strong)),
    headOf(placed),
    ...rows.map((row) => () => rowOf(placed, row)),
  ];
}

function lossText({ targets, gaps }: CaptureState): string {
  const sum = (pick: (target: TargetState) => number) => targets.reduce((all, target) => all + pick(target), 0);
  const kernel = sum(({ droppedByKernel }) => droppedByKernel);
  const ksnoop = sum(({ droppedByKsnoop }) => droppedByKsnoop);
  const words = [
    ...(kernel === 0 ? [] : [`${grouped(kernel)} by the kernel`]),
    ...(ksnoop === 0 ? [] : [`${grouped(ksnoop)} by ksnoop`]),
    ...(gaps === 0 ? [] : [`packets of ${counted(gaps, 'gap')}`]),
  ];
  return words.length === 0 ? 'none' : words.join(', ');
}

function remarkLine({ at, text, failed }: Remark): Line {
  const time = at === undefined ? '' : `${new Date(at).toTimeString().slice(0, 8)} `;
  return line(span(time, LOOK.aside), span(sanitise(text), failed ? LOOK.failure : LOOK.plain));
}
