import { BLOCK, EPB_FLAG, EPB_HEADER_BYTES, padded } from '../../wire/pcapng.ts';
import { interfaceName } from '../../wire/pcapng-read.ts';
import { callerOf } from './caller.ts';
import type { CaptureOutput } from './capture.ts';
import type { InterfaceOrigin } from './merge.ts';

/** epb_flags (draft-ietf-opsawg-pcapng, section 4.3.1): the direction's two bits, and the three of how it was received. */
const DIRECTION_AND_RECEPTION = 0x1f;
const TO_THIS_HOST = EPB_FLAG.inbound | EPB_FLAG.unicast;

interface Interface {
  readonly linkType: number;
  /** `namespace/pod`; behind `CLUSTER/` in a capture of several clusters. */
  readonly label: string;
}

/** Passes everything on to an output, and reports the callers of the captured pods. */
export class CallerTap implements CaptureOutput {
  readonly #output: CaptureOutput;
  readonly #seen: (label: string, caller: string) => void;
  readonly #interfaces: Interface[] = [];

  constructor(output: CaptureOutput, seen: (label: string, caller: string) => void) {
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
    if (EPB_HEADER_BYTES + caplen > length || !mayBeInbound(view, caplen)) return;
    const caller = callerOf(from.linkType, bytes, offset + EPB_HEADER_BYTES, caplen);
    if (caller !== undefined) this.#seen(from.label, caller);
  }
}

/**
 * Whether a packet was sent to the pod, or may have been: ksnoop's agents put the flags first among a packet's options,
 * and they are 0 where the link type has no direction (`-i eth0`). A bridge floods frames that are for others, too.
 */
function mayBeInbound(view: DataView, caplen: number): boolean {
  const options = EPB_HEADER_BYTES + padded(caplen);
  if (options + 8 > view.byteLength - 4) return true;
  const flags = view.getUint32(options + 4, true) & DIRECTION_AND_RECEPTION;
  return flags === 0 || flags === TO_THIS_HOST;
}
