import { release, type } from 'node:os';
import type { InterfaceOrigin } from '../../capture/streams/merge.ts';
import { clusterOf, nameBlocks } from '../../wire/capture-cluster.ts';
import { BLOCK } from '../../wire/pcapng.ts';
import { interfaceDescriptionOf, isLastStatistics } from '../../wire/pcapng-read.ts';
import {
  endMarker,
  interfaceStatistics,
  type NamedAddress,
  sectionHeader,
  startMarker,
  withComment,
} from '../../wire/pcapng-write.ts';
import { NamesWhenSeen } from '../names-when-seen.ts';
import type { ByteWriter } from '../sink/byte-writer.ts';
import type { BinaryOutputKind, Output } from './output.ts';

interface InterfaceState {
  /** Names of its cluster that wait for their address. */
  readonly names: NamesWhenSeen;
  readonly linkType: number;
  packets: number;
  /** Its last statistics have been written. */
  complete: boolean;
}

/** One pcapng section: the form everything in the house speaks (design: "What flows"). */
class PcapngOutput implements Output {
  readonly omitted = undefined;
  readonly #writer: ByteWriter;
  readonly #interfaces: InterfaceState[] = [];
  readonly #named = new Map<string, NamedAddress>();
  /** By cluster; '' in a capture of one. */
  readonly #whenSeen = new Map<string, NamesWhenSeen>();
  readonly #startTime = now();

  #begun = false;

  constructor(writer: ByteWriter) {
    this.#writer = writer;
  }

  get pending(): number {
    return this.#writer.pending;
  }

  get ended(): boolean {
    return this.#writer.end !== undefined;
  }

  flush(): void {
    this.#writer.flush();
  }

  addNames(records: readonly NamedAddress[]): void {
    const unknown = records.filter((record) => String(this.#named.get(keyOf(record))?.names) !== String(record.names));
    for (const record of unknown) {
      if (record.ifSeen && !this.#named.has(keyOf(record))) this.#waiting(record.cluster).add(record);
    }
    const fresh = unknown.filter(({ ifSeen }) => !ifSeen);
    if (fresh.length === 0) return;
    for (const record of fresh) {
      this.#named.set(keyOf(record), record);
      this.#whenSeen.get(record.cluster ?? '')?.delete(record.address);
    }
    if (this.#begun) for (const block of nameBlocks(fresh)) this.#push(block);
  }

  #waiting(cluster = ''): NamesWhenSeen {
    const known = this.#whenSeen.get(cluster) ?? new NamesWhenSeen();
    this.#whenSeen.set(cluster, known);
    return known;
  }

  addInterface(
    _id: number,
    bytes: Uint8Array,
    offset: number,
    length: number,
    { gap, remarks }: InterfaceOrigin,
  ): void {
    // Nothing is written before something is captured: a capture that fails leaves no bytes behind.
    if (!this.#begun) this.#push(sectionHeader(`${type()} ${release()}`));
    let block = bytes.subarray(offset, offset + length);
    const linkType = (block[8] as number) | ((block[9] as number) << 8);
    const names = this.#waiting(clusterOf(interfaceDescriptionOf(block)));
    this.#interfaces.push({ linkType, names, packets: 0, complete: false });
    if (gap !== undefined) block = withComment(block, gap);
    for (const remark of remarks) block = withComment(block, remark);
    this.#push(block);
    if (!this.#begun) this.#begin();
  }

  write(type: number, id: number, bytes: Uint8Array, offset: number, length: number): void {
    const state = this.#interfaces[id];
    if (type === BLOCK.enhancedPacket && state !== undefined) {
      const met = state.names.take(state.linkType, bytes, offset);
      if (met.length > 0) this.addNames(met.map(({ ifSeen: _, ...named }) => named));
    }
    this.#writer.push(bytes, offset, length);
    if (state === undefined) return;
    if (type === BLOCK.enhancedPacket) state.packets += 1;
    else if (type === BLOCK.interfaceStatistics) state.complete ||= isLastStatistics(bytes, offset, length);
  }

  addSecrets(block: Uint8Array): void {
    this.#push(block);
  }

  async close(reason: string): Promise<void> {
    for (const [interfaceId, { packets, complete }] of this.#interfaces.entries()) {
      if (complete) continue;
      // Its stream was lost: what is in the file is all that is known.
      const time = now();
      const known = { received: packets, droppedByKernel: 0, captured: packets };
      this.#push(interfaceStatistics({ interfaceId, time, startTime: this.#startTime, endTime: time, ...known }));
    }
    this.#push(endMarker({ version: 1, reason, packets: this.#interfaces.map(({ packets }) => packets) }));
    await this.#writer.drained();
  }

  /** What is known at the start. Behind the first interface: editcap and mergecap take it from there and nowhere else. */
  #begin(): void {
    this.#begun = true;
    this.#push(startMarker());
    for (const block of nameBlocks(this.#named.values())) this.#push(block);
  }

  #push(block: Uint8Array): void {
    this.#writer.push(block, 0, block.length);
  }
}

/** One address may have another name in each cluster. */
function keyOf({ address, cluster }: NamedAddress): string {
  return cluster === undefined ? address : `${cluster} ${address}`;
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

export const pcapng: BinaryOutputKind = {
  name: 'pcapng',
  binary: true,
  json: false,
  create: ({ writer }) => new PcapngOutput(writer),
};
