import type { CaptureInterface } from '../../wire/capture-interface.ts';
import type { CaptureFramer } from '../../wire/capture-read.ts';
import type { BlockView } from '../../wire/pcapng-read.ts';

/** A packet that is to be written, as it was read; valid during the call. */
export interface WrittenPacket {
  readonly bytes: Uint8Array;
  readonly offset: number;
  /** At most what was captured: less when it is cut (-s). */
  readonly caplen: number;
  readonly captured: number;
  readonly origlen: number;
  readonly timeHigh: number;
  readonly timeLow: number;
  readonly interfaceId: number;
  readonly flags: number;
}

/** What becomes of secrets of TLS connections (Decryption Secrets Blocks). */
export interface WrittenKeys {
  /** Those of the capture that is read are left out. */
  readonly omit?: boolean | undefined;
  /** Blocks that stand before the packets of each section, in place of those of the capture. */
  readonly secrets?: readonly Uint8Array[] | undefined;
}

/** Writes a capture in one format. */
export interface CaptureWriter {
  interface(id: number, described: CaptureInterface): void;
  /** What comes next is of another file. */
  nextFile(): void;
  /** A block of a pcapng file that is no packet. */
  block(block: BlockView): void;
  packet(packet: WrittenPacket, framer: CaptureFramer): void;
  /** What the format could not hold, a sentence; undefined when nothing was lost. */
  readonly omitted: string | undefined;
  /** Secrets were written behind packets of their section, where they stood in what was read. */
  readonly hasLateSecrets: boolean;
}

/** Takes the bytes of the new file, copying them. */
export type Push = (bytes: Uint8Array, offset: number, length: number) => void;
