import type { EventRecord } from '../../analyze/record.ts';
import { clockText } from '../event-line.ts';
import { addressOf, peerName } from '../peer-text.ts';
import { byteSize, grouped, latencyText } from '../units.ts';
import { headOf, placeColumns, rowOf, type TopColumn } from './columns.ts';
import { type Detail, DetailView } from './detail-view.ts';
import { exchangeDetail } from './exchange-detail.ts';
import { type Line, LOOK, line, type Span, span } from './line.ts';
import type { TopModel } from './model.ts';
import { Scroll } from './scroll.ts';
import type { Key, View, ViewKind } from './view.ts';

/** What was said, newest last: it follows what comes until the cursor leaves the last line. */
export const exchanges: ViewKind = {
  name: 'exchanges',
  about: 'what is asked and answered, newest last; it follows while the cursor is on the last line',
  keys: [
    ['f', 'stop here, or follow again'],
    [
      'Enter',
      'one exchange: request, response, times, its flow, its packets in hex (as captured, secrets too); Esc back',
    ],
  ],
  create: (model) => new DetailView((open) => new Exchanges(model, open)),
};

class Exchanges implements View {
  readonly orders = [];
  readonly order = undefined;
  readonly #model: TopModel;
  readonly #open: (detail: Detail) => void;
  readonly #columns: readonly TopColumn<EventRecord>[];
  readonly #scroll = new Scroll();
  /** The number of the event the cursor is on; undefined while it follows. */
  #at: number | undefined;

  constructor(model: TopModel, open: (detail: Detail) => void) {
    this.#model = model;
    this.#open = open;
    this.#columns = columns(model);
  }

  get status(): string | undefined {
    const { first, end } = this.#model.events;
    if (end === first) return undefined;
    const gone = first === 0 ? '' : `, ${grouped(first)} gone`;
    const place = this.#at === undefined ? 'following' : `${grouped(this.#at - first + 1)} of`;
    return `${place} ${grouped(end - first)}${gone}`;
  }

  sortBy(): void {}

  lines(width: number, height: number): readonly Line[] {
    const { events } = this.#model;
    const { first, end } = events;
    if (end === first) return [line(span('Nothing was said yet.'))];
    const shown = Math.max(1, height - 1);
    this.#scroll.cursor = this.#at === undefined ? end - first - 1 : Math.max(0, this.#at - first);
    this.#scroll.fit(end - first, shown);
    const { top, cursor } = this.#scroll;
    const placed = placeColumns(this.#columns, width);
    const lines = [headOf(placed)];
    for (let index = top; index < Math.min(top + shown, end - first); index += 1) {
      const record = events.at(first + index);
      if (record !== undefined) lines.push({ ...rowOf(placed, record), selected: index === cursor });
    }
    return lines;
  }

  key({ name }: Key): boolean {
    const { first, end } = this.#model.events;
    if (name === 'enter' || name === 'f') {
      // f: stop here, or follow again.
      const number = this.#at ?? end - 1;
      if (name === 'f') this.#at = this.#at === undefined ? number : undefined;
      else this.#enter(number);
      return true;
    }
    if (end === first) return false;
    // What the cursor is on may have moved in the list since it was drawn.
    this.#scroll.cursor = this.#at === undefined ? end - first - 1 : Math.max(0, this.#at - first);
    this.#scroll.fit(end - first, this.#scroll.height);
    if (!this.#scroll.key(name)) return false;
    const number = first + this.#scroll.cursor;
    this.#at = number >= end - 1 ? undefined : number;
    return true;
  }

  #enter(number: number): void {
    const record = this.#model.events.at(number);
    if (record === undefined) return;
    this.#at = number;
    this.#open(exchangeDetail(this.#model, record));
  }
}

function columns(model: TopModel): readonly TopColumn<EventRecord>[] {
  return [
    { title: 'TIME', width: 12, rank: 2, cell: ({ time }) => span(clockText(time).slice(0, 12), LOOK.aside) },
    { title: 'FROM', width: 12, grows: true, rank: 3, cell: ({ src }) => peer(src) },
    { title: 'TO', width: 12, grows: true, rank: 1, cell: ({ dst }) => peer(dst) },
    { title: 'PROTO', width: 6, rank: 0, cell: ({ protocol }) => span(model.titleOf(protocol)) },
    { title: 'WHAT', width: 16, grows: true, rank: 0, cell: what },
    { title: 'STATUS', width: 12, rank: 0, cell: status },
    {
      title: 'LATENCY',
      width: 7,
      right: true,
      rank: 0,
      cell: ({ latency }) => span(latency === undefined ? '' : latencyText(Math.max(0, latency))),
    },
    { title: 'SENT', width: 8, right: true, rank: 5, cell: ({ requestBytes }) => size(requestBytes) },
    { title: 'RECEIVED', width: 8, right: true, rank: 4, cell: ({ responseBytes }) => size(responseBytes) },
  ];
}

function peer(record: EventRecord['src']): Span {
  if (record === undefined) return span('?');
  const name = peerName(record);
  return name === undefined ? span(addressOf(record)) : span(name, LOOK.name);
}

function what({ label, failed, kind }: EventRecord): Span {
  return span(label, kind === 'event' && failed ? LOOK.failure : LOOK.plain);
}

function status({ status: text, incomplete, code, failed }: EventRecord): Span {
  return span(text ?? incomplete ?? code ?? '', failed ? LOOK.failure : LOOK.plain);
}

function size(bytes: number | undefined): Span {
  return span(bytes === undefined ? '' : byteSize(bytes));
}
