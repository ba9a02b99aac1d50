import { BLOCK, EPB_FLAG, EPB_HEADER_BYTES, padded } from '../../wire/pcapng.ts';
import { interfaceName } from '../../wire/pcapng-read.ts';

import type { CaptureOutput } from './capture.ts';
import type { InterfaceOrigin } from './merge.ts';
import { calleeOf, callerOf } from './peer.ts';

/** epb_flags (draft-ietf-opsawg-pcapng, section 4.3.1): the direction's two bits, and the three of how it was received. */
const DIRECTION_AND_RECEPTION = 0x1f;
const TO_THIS_HOST = EPB_FLAG.inbound | EPB_FLAG.unicast;
const DIRECTION = EPB_FLAG.inbound | EPB_FLAG.outbound;

/** Take the addresses that a captured pod exchanges packets with. `label`: `namespace/pod`, behind `CLUSTER/` as below. */
export interface PeersSeen {
  /** An address that connects to the pod; undefined: not of interest. */
  readonly caller?: ((label: string, address: string) => void) | undefined;
  /** An address that the pod connects to; undefined: not of interest. */
  readonly callee?: ((label: string, address: string) => void) | undefined;
}

interface Interface {
  readonly linkType: number;
  /** `namespace/pod`; behind `CLUSTER/` in a capture of several clusters. */
  readonly label: string;
}

/** Passes everything on to an output, and reports the callers and callees of the captured pods. */
export class PeerTap implements CaptureOutput {
  readonly #output: CaptureOutput;
  readonly #seen: PeersSeen;
  readonly #interfaces: Interface[] = [];

  constructor(output: CaptureOutput, seen: PeersSeen) {
    this.#output = output;
    this.#seen = seen;
  }

  get pending(): number {
    return this.#output.pending;
  }

  get ended(): boolean {
    return this.#output.ended;
  }

  flush(): void {
    this.#output.flush();
  }

  addInterface(id: number, bytes: Uint8Array, offset: number, length: number, origin: InterfaceOrigin): void {
    const linkType = new DataView(bytes.buffer, bytes.byteOffset + offset).getUint16(8, true);
    const label = interfaceName(bytes, offset, length).replace(/\/[^/]*$/, '');
    this.#interfaces[id] = { linkType, label };
    this.#output.addInterface(id, bytes, offset, length, origin);
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    if (type === BLOCK.enhancedPacket) this.#inspect(id, bytes, offset, length);
    this.#output.write(type, id, bytes, offset, length);
  }

  #inspect(id: number, bytes: Uint8Array, offset: number, length: number): void {
    const from = this.#interfaces[id];
    if (from === undefined) return;
    const view = new DataView(bytes.buffer, bytes.byteOffset + offset, length);
    const caplen = view.getUint32(20, true);
    if (EPB_HEADER_BYTES + caplen > length) return;
    const flags = flagsOf(view, caplen);
    const at = offset + EPB_HEADER_BYTES;
    const { caller, callee } = this.#seen;
    if (caller !== undefined && mayBeInbound(flags)) {
      const address = callerOf(from.linkType, bytes, at, caplen);
      if (address !== undefined) caller(from.label, address);
    }
    if (callee !== undefined && mayBeOutbound(flags)) {
      const address = calleeOf(from.linkType, bytes, at, caplen);
      if (address !== undefined) callee(from.label, address);
    }
  }
}

/** A packet's flags: ksnoop's agents put them first among its options. 0 where the packet has none. */
function flagsOf(view: DataView, caplen: number): number {
  const options = EPB_HEADER_BYTES + padded(caplen);
  return options + 8 > view.byteLength - 4 ? 0 : view.getUint32(options + 4, true) & DIRECTION_AND_RECEPTION;
}

/**
 * Whether a packet was sent to the pod, or may have been: the flags are 0 where the link type has no direction (`-i eth0`).
 * A bridge floods frames that are for others, too.
 */
function mayBeInbound(flags: number): boolean {
  return flags === 0 || flags === TO_THIS_HOST;
}

/** Whether the pod sent a packet, or may have. Without a direction a packet to the pod counts, too: its callee is the pod itself. */
function mayBeOutbound(flags: number): boolean {
  return flags === 0 || (flags & DIRECTION) === EPB_FLAG.outbound;
}
