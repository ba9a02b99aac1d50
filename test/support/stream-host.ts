import { Clock } from '../../src/analyze/engine/clock.ts';
import { TCP_I32, TCP_STRIDE } from '../../src/analyze/flow/flow-layout.ts';
import { FlowTable } from '../../src/analyze/flow/flow-table.ts';
import type { AnalysisEvent } from '../../src/analyze/record/event.ts';
import { SEEN } from '../../src/analyze/tcp/flags.ts';
import { TcpStream } from '../../src/analyze/tcp/stream.ts';
import type { StreamHost } from '../../src/analyze/tcp/stream-host.ts';
import { StreamNumbers } from '../../src/analyze/tcp/stream-numbers.ts';

/** What streams need of an analysis, for a test of streams alone: it keeps their events. */
export class PlainStreamHost implements StreamHost {
  readonly clock = new Clock();
  readonly numbers = new StreamNumbers();
  readonly late = false;
  readonly detail = true;
  readonly firstLegs = false;
  readonly firstLegsOnly = false;
  readonly showSecrets = false;
  readonly bodies = undefined;
  followed = -1;
  pendingBytes = 0;
  readonly events: AnalysisEvent[] = [];
  follow(_stream: TcpStream, _direction: number, _bytes: Uint8Array | undefined, _start: number, _end: number): void {}
  isOtherLeg = () => false;
  isHalfLeg = () => false;
  event = (_: TcpStream, event: AnalysisEvent) => void this.events.push(event);
  swapEndpoints = () => undefined;
  nextSequence(_stream: TcpStream, _direction: number): number | undefined {
    return 1;
  }
  beginsAt = () => undefined;
  finSeen = () => false;
}

/** Bytes that were handed on, or a hole. */
export interface HandedPiece {
  readonly direction: number;
  /** Undefined for a hole. */
  readonly bytes: Buffer | undefined;
  readonly length: number;
  /** Time of the clock, ns. */
  readonly at: number;
}

/** Connections of a table: it keeps what is handed on of the last one that was opened. */
export class TableStreamHost extends PlainStreamHost {
  readonly table = new FlowTable(TCP_STRIDE, 64, () => undefined);
  readonly pieces: HandedPiece[] = [];
  #flows = 0;

  /** A connection whose client is direction 0. @param initial where its directions begin, if that is known */
  open(initial?: readonly [number, number]): TcpStream {
    const flow = this.#flows;
    this.#flows += 1;
    const slot = this.table.add(1, 2, flow, 6, flow);
    const base = this.table.base(slot);
    for (const direction of [0, 1] as const) {
      const next = initial?.[direction];
      if (next === undefined) continue;
      this.table.ints[base + direction + TCP_I32.flags] = SEEN.next;
      this.table.ints[base + direction + TCP_I32.next] = next | 0;
    }
    const stream = new TcpStream(this);
    stream.begin(slot, flow, 0, false, 40_000, 9_999);
    this.followed = flow;
    this.pieces.length = 0;
    return stream;
  }

  override follow(_: TcpStream, direction: number, bytes: Uint8Array | undefined, start: number, end: number): void {
    const copy = bytes === undefined ? undefined : Buffer.from(bytes.subarray(start, end));
    this.pieces.push({ direction, bytes: copy, length: end - start, at: this.clock.now });
  }

  override nextSequence(stream: TcpStream, direction: number): number | undefined {
    const own = this.table.base(stream.slot) + direction;
    if (((this.table.ints[own + TCP_I32.flags] as number) & SEEN.next) === 0) return undefined;
    return this.table.ints[own + TCP_I32.next];
  }
}
