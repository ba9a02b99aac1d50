import { DISPOSITION, type Disposition } from '../../analyze/engine/analysis.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';

/** Characters of what is held at most, of all flows together. */
const HELD_MAXIMUM = 1024 * 1024;

interface Held<Item> {
  readonly items: { readonly item: Item; readonly time: number }[];
  size: number;
}

/**
 * Lines, or records, of packets whose protocol is not recognised yet. A flow's are written when it turns out that no protocol decodes
 * them, and dropped when one does: then its exchanges stand for them. So are those of fragments until their datagram is whole.
 */
export class UndecidedPackets<Item extends string | object> {
  readonly #write: (item: Item, time: number) => void;
  readonly #sizeOf: (item: Item) => number;
  readonly #flows = new Map<number, Held<Item>>();
  #size = 0;

  /**
   * @param write takes a line or record and its time, ns since the first packet
   * @param sizeOf characters that it keeps
   */
  constructor(write: (item: Item, time: number) => void, sizeOf: (item: Item) => number) {
    this.#write = write;
    this.#sizeOf = sizeOf;
  }

  /** Of too many, those of the flow that waits longest are written. @param flow its number, CaptureAnalysis.waitsWith @param time ns since the first packet */
  add(flow: number, item: Item, time: number): void {
    let held = this.#flows.get(flow);
    if (held === undefined) {
      held = { items: [], size: 0 };
      this.#flows.set(flow, held);
    }
    held.items.push({ item, time });
    const size = this.#sizeOf(item);
    held.size += size;
    this.#size += size;
    while (this.#size > HELD_MAXIMUM) {
      const [oldest] = this.#flows.keys();
      if (oldest === undefined) return;
      this.write(oldest);
    }
  }

  /** What a packet of a flow shows of those before it. @param hasBytes whether it carries bytes of the flow's protocol */
  decided(flow: number, taken: Disposition, hasBytes: boolean): void {
    if (taken === DISPOSITION.opaque) this.write(flow);
    else if (taken === DISPOSITION.decoded && hasBytes) this.#take(flow);
  }

  /** A fragmented datagram is whole or given up: as CaptureAnalysis.onDatagram. */
  readonly datagram = (number: number, isKnown: boolean): void => {
    if (isKnown) this.#take(number);
    else this.write(number);
  };

  /** No protocol decodes a flow's packets. */
  write(flow: number): void {
    for (const { item, time } of this.#take(flow)) this.#write(item, time);
  }

  /** Write all that is held. */
  end(): void {
    for (const flow of [...this.#flows.keys()]) this.write(flow);
  }

  #take(flow: number): Held<Item>['items'] {
    const held = this.#flows.get(flow);
    if (held === undefined) return [];
    this.#flows.delete(flow);
    this.#size -= held.size;
    return held.items;
  }
}

/** Characters of a line. */
export function lineSize(line: string): number {
  return line.length;
}

/** What becomes of the packets of an output that shows those which no protocol decodes, in no order of times. */
interface UndecodedPackets<Item> {
  make(packet: PacketView): Item;
  write(item: Item): void;
  /** Characters that it keeps. */
  sizeOf(item: Item): number;
}

/** The part of an output that hands on the packets which no protocol decodes. */
export function undecodedPackets<Item extends string | object>(
  { capture }: AnalysisSession,
  { make, write, sizeOf }: UndecodedPackets<Item>,
) {
  const undecided = new UndecidedPackets<Item>(write, sizeOf);
  capture.onDatagram = undecided.datagram;
  return {
    packet: (packet: PacketView, taken: Disposition): void => {
      undecided.decided(capture.analysis.flow, taken, packet.payloadLength > 0);
      if (taken === DISPOSITION.undecided) undecided.add(capture.waitsWith, make(packet), 0);
      else if (taken === DISPOSITION.opaque) write(make(packet));
    },
    flowEnded: ({ id }: FlowInfo): void => undecided.write(id),
    end: (): void => undecided.end(),
  };
}
