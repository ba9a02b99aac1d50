import { BLOCK, EPB_HEADER_BYTES } from '../../wire/pcapng.ts';
import { interfaceName } from '../../wire/pcapng-read.ts';
import type { BlockSink, InterfaceOrigin } from './merge.ts';

/** What of one interface went to the output. */
export interface InterfaceTally {
  readonly id: number;
  /** The stream it came in, by the source's serial number, and its number there. */
  readonly stream: number;
  readonly index: number;
  /** Its if_name: `shop/web-1/any`. */
  readonly name: string;
  packets: number;
  /** Captured bytes of its packets. */
  bytes: number;
  /** Packets cut by the snaplen. */
  truncated: number;
}

/** Takes blocks until it has ended. */
interface EndingSink extends BlockSink {
  readonly ended: boolean;
}

/**
 * Counts what passes on its way to the output, and closes the way exactly at `--count` packets or before the packet
 * that would exceed `--max-bytes`.
 */
export class Tally implements BlockSink {
  readonly interfaces: InterfaceTally[] = [];
  packets = 0;
  bytes = 0;
  /** No more packets are let through. */
  full = false;
  readonly #next: EndingSink;
  readonly #limits: { readonly packets: number; readonly bytes: number };
  readonly #onFull: () => void;

  /** @param limits packets, and captured bytes; Infinity for none */
  constructor(next: EndingSink, limits: { packets: number; bytes: number }, onFull: () => void) {
    this.#next = next;
    this.#limits = limits;
    this.#onFull = onFull;
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void {
    const { stream, index } = origin;
    const name = interfaceName(bytes, offset, length);
    this.interfaces.push({ id, stream, index, name, packets: 0, bytes: 0, truncated: 0 });
    this.#next.addInterface(id, bytes, offset, length, origin);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    if (type === BLOCK.enhancedPacket && !this.#count(id, bytes, offset)) return;
    this.#next.write(type, id, bytes, offset, length);
    if (!this.full && (this.packets >= this.#limits.packets || this.bytes >= this.#limits.bytes)) this.#close();
  }

  #count(id: number, bytes: Uint8Array, offset: number): boolean {
    // What the output does not take any more was not captured.
    if (this.full || this.#next.ended) return false;
    const captured = uint32(bytes, offset + EPB_HEADER_BYTES - 8);
    const original = uint32(bytes, offset + EPB_HEADER_BYTES - 4);
    if (this.bytes + captured > this.#limits.bytes) {
      this.#close();
      return false;
    }
    this.packets += 1;
    this.bytes += captured;
    const tally = this.interfaces[id];
    if (tally !== undefined) {
      tally.packets += 1;
      tally.bytes += captured;
      if (captured < original) tally.truncated += 1;
    }
    return true;
  }

  #close(): void {
    this.full = true;
    this.#onFull();
  }
}

function uint32(bytes: Uint8Array, offset: number): number {
  const low = (bytes[offset] ?? 0) | ((bytes[offset + 1] ?? 0) << 8) | ((bytes[offset + 2] ?? 0) << 16);
  return (low | ((bytes[offset + 3] ?? 0) << 24)) >>> 0;
}
