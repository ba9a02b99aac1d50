import { DISPOSITION, type Disposition } from '../../analyze/engine/analysis.ts';

/** Characters of lines held at most, of all flows together. */
const HELD_MAXIMUM = 1024 * 1024;

interface Held {
  readonly lines: { readonly text: string; readonly time: number }[];
  size: number;
}

/**
 * Lines of packets whose protocol is not recognised yet. A flow's are written when it turns out that no protocol decodes
 * them, and dropped when one does: then its exchanges stand for them. So are those of fragments until their datagram is whole.
 */
export class UndecidedPackets {
  readonly #write: (text: string, time: number) => void;
  readonly #flows = new Map<number, Held>();
  #size = 0;

  /** @param write takes a line and its time, ns since the first packet */
  constructor(write: (text: string, time: number) => void) {
    this.#write = write;
  }

  /** Of too many, those of the flow that waits longest are written. @param flow its number, CaptureAnalysis.waitsWith @param time ns since the first packet */
  add(flow: number, text: string, time: number): void {
    let held = this.#flows.get(flow);
    if (held === undefined) {
      held = { lines: [], size: 0 };
      this.#flows.set(flow, held);
    }
    held.lines.push({ text, time });
    held.size += text.length;
    this.#size += text.length;
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
    for (const { text, time } of this.#take(flow)) this.#write(text, time);
  }

  /** Write all that is held. */
  end(): void {
    for (const flow of [...this.#flows.keys()]) this.write(flow);
  }

  #take(flow: number): Held['lines'] {
    const held = this.#flows.get(flow);
    if (held === undefined) return [];
    this.#flows.delete(flow);
    this.#size -= held.size;
    return held.lines;
  }
}
