import { dns } from '../../../../src/analyze/protocols/dns/index.ts';
import type { AnalysisEvent, Exchange, Fields, Side } from '../../../../src/analyze/record/event.ts';

export const A = 1;
export const AAAA = 28;
export const NXDOMAIN = 3;

/** A name on the wire; labels are parted by dots. */
export function wireName(name: string): number[] {
  const labels = name === '' ? [] : name.split('.');
  return [...labels.flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]), 0];
}

export function u16be(value: number): number[] {
  return [value >> 8, value & 0xff];
}

export interface Parts {
  readonly id?: number;
  readonly flags?: number;
  readonly questions?: readonly (readonly number[])[];
  readonly answers?: readonly (readonly number[])[];
  readonly authority?: readonly (readonly number[])[];
  readonly additional?: readonly (readonly number[])[];
  readonly more?: readonly number[];
}

export function message(parts: Parts): Uint8Array {
  const sections = [parts.questions ?? [], parts.answers ?? [], parts.authority ?? [], parts.additional ?? []];
  return Uint8Array.from([
    ...u16be(parts.id ?? 1),
    ...u16be(parts.flags ?? 0x0100),
    ...sections.flatMap((section) => u16be(section.length)),
    ...sections.flat(2),
    ...(parts.more ?? []),
  ]);
}

export function question(name: string, type = A, classNumber = 1): number[] {
  return [...wireName(name), ...u16be(type), ...u16be(classNumber)];
}

/** A record; without a name of its own it is the first question's, by a pointer. */
export function record(
  type: number,
  data: readonly number[],
  name: readonly number[] = [0xc0, 12],
  ttl = 30,
): number[] {
  return [...name, ...u16be(type), 0, 1, 0, 0, ...u16be(ttl), ...u16be(data.length), ...data];
}

/** EDNS's record: upper bits of the response code, and options. */
export function opt(upper = 0, options: readonly number[] = [], size = 1232): number[] {
  return [0, 0, 41, ...u16be(size), upper, 0, 0, 0, ...u16be(options.length), ...options];
}

export function query(name: string, id = 1, type = A, parts: Parts = {}): Uint8Array {
  return message({ id, questions: [question(name, type)], ...parts });
}

export function answer(name: string, id = 1, type = A, parts: Parts = {}): Uint8Array {
  const answers = (parts.flags ?? 0) & 15 ? [] : [record(type, type === AAAA ? new Array(16).fill(1) : [10, 0, 0, 1])];
  return message({ id, questions: [question(name, type)], answers, ...parts, flags: 0x8180 | (parts.flags ?? 0) });
}

/** A datagram of a flow's side at a time in ms; cut to `captured` bytes; or the flow's end. */
export type Datagram =
  | readonly [flow: number, side: Side, bytes: Uint8Array, ms: number, captured?: number]
  | readonly [flow: number, 'ends'];

/** What the analyzer says of datagrams. Each event's flow is in `flows`. */
export function talk(
  datagrams: readonly Datagram[],
  detail = true,
): { readonly events: AnalysisEvent[]; readonly flows: number[] } {
  const events: AnalysisEvent[] = [];
  const flows: number[] = [];
  const context = {
    now: 0,
    place: 0,
    detail,
    showSecrets: false,
    emit: (flow: number, event: AnalysisEvent) => {
      events.push(event);
      flows.push(flow);
    },
  };
  const analyzer = dns.create(context);
  for (const datagram of datagrams) {
    if (datagram[1] === 'ends') {
      analyzer.endFlow(datagram[0]);
      continue;
    }
    const [flow, side, bytes, ms, captured = bytes.length] = datagram;
    context.now = ms * 1e6;
    // Not at the buffer's beginning, with other bytes around, and overwritten afterwards: nobody may keep a reference.
    const buffer = new Uint8Array(captured + 20).fill(0xc0);
    buffer.set(bytes.subarray(0, captured), 7);
    analyzer.datagram(flow, side, buffer, 7, 7 + captured, bytes.length);
    buffer.fill(0xee);
  }
  analyzer.end();
  return { events, flows };
}

export function exchanges(datagrams: readonly Datagram[], detail = true): Exchange[] {
  return talk(datagrams, detail).events.filter((event) => event.kind === 'exchange');
}

/** The `dns` fields. */
export function dnsOf(event: AnalysisEvent | undefined): Fields {
  return event?.fields.dns as Fields;
}

/** What is the same with and without `detail`. */
export function essence(event: AnalysisEvent): unknown {
  const { fields: _, ...rest } = event;
  if (event.kind === 'event' && event.code === 'PROTOCOL_LOST') return event;
  const { name, type, rcode } = dnsOf(event);
  return { ...rest, name, type, rcode };
}
