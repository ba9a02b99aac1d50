import { CaptureTime } from '../../wire/capture-time.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { directionFlags, normalLinkType, packetTypeOffset } from '../../wire/link-type.ts';
import { PcapFramer } from '../../wire/pcap-read.ts';
import {
  enhancedPacketBytes,
  interfaceDescription,
  interfaceStatistics,
  writeEnhancedPacket,
} from '../../wire/pcapng-write.ts';
import { parseStatistics } from '../../wire/tcpdump-statistics.ts';
import { type ExecEnd, type ExecStream, openExec } from '../kube/exec.ts';
import type { Kube } from '../kube/kube.ts';
import { PROBE_DRAIN_MS, PROBE_WORDS } from '../limits.ts';
import { END_LINE, type ProbeArguments, probeCommand } from './script.ts';

/** Exit code of a process that SIGKILL ended. */
const KILLED = 137;

/** Where a probe runs, and what its interface is called. */
export interface ProbePlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** if_name and if_description of its interface. */
  readonly name: string;
  readonly description: string;
}

export interface ProbeHandlers {
  /** Gives the interface's number in the stream at the moment its block is written. */
  nextId(): number;
  /** Blocks of the stream. */
  blocks(bytes: Uint8Array): void;
  /** tcpdump listens: packets from now on are in the stream. */
  started(): void;
}

/** How a probe ended. */
export type ProbeEnd =
  | { readonly kind: 'ended' }
  /** tcpdump did not run, or ended with an error; `mayNot`: the container has no right to capture. */
  | { readonly kind: 'failed'; readonly error: KsnoopError; readonly mayNot?: boolean }
  | { readonly kind: 'lost'; readonly error: KsnoopError };

/** One tcpdump in a container, run by exec; its pcap becomes pcapng here. */
export class PodProbe {
  readonly ended: Promise<ProbeEnd>;
  readonly #place: ProbePlace;
  readonly #arguments: ProbeArguments;
  readonly #handlers: ProbeHandlers;
  readonly #time = new CaptureTime();
  readonly #startTime = now();
  readonly #end = Promise.withResolvers<ProbeEnd>();
  #stream: ExecStream | undefined;
  #blocks: Uint8Array[] = [];
  #words = '';
  #id: number | undefined;
  #captured = 0;
  #stopping = false;
  #damage: KsnoopError | undefined;

  constructor(place: ProbePlace, probeArguments: ProbeArguments, handlers: ProbeHandlers) {
    this.#place = place;
    this.#arguments = probeArguments;
    this.#handlers = handlers;
    this.ended = this.#end.promise;
  }

  get id(): number | undefined {
    return this.#id;
  }

  get counters() {
    const statistics = parseStatistics(this.#words);
    const droppedByKernel = statistics?.droppedByKernel ?? 0;
    const received = Math.max(this.#captured + droppedByKernel, statistics?.received ?? 0);
    return { captured: this.#captured, received, droppedByKernel, droppedByKsnoop: 0 };
  }

  /** @throws KsnoopError as openExec does */
  async start(kube: Kube, signal: AbortSignal): Promise<void> {
    const { namespace, pod, container } = this.#place;
    const framer = this.#framer();
    const stream = await openExec(
      kube,
      {
        namespace,
        pod,
        container,
        command: probeCommand(this.#arguments),
        stdin: true,
        onStdout: (bytes) => this.#take(framer, bytes),
        onStderr: (bytes) => {
          this.#words = (this.#words + Buffer.from(bytes).toString('utf8')).slice(-PROBE_WORDS);
        },
      },
      signal,
    );
    this.#stream = stream;
    if (this.#stopping) this.#endLater();
    void stream.ended.then((end) => this.#finish(end));
  }

  /** End in good order: what tcpdump has not read yet still comes, then the counts. */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#endLater();
  }

  #endLater(): void {
    const stream = this.#stream;
    if (stream !== undefined) setTimeout(() => void stream.write(END_LINE), PROBE_DRAIN_MS);
  }

  pause(): void {
    this.#stream?.pause();
  }

  resume(): void {
    this.#stream?.resume();
  }

  terminate(): void {
    this.#stream?.terminate();
  }

  #take(framer: PcapFramer, bytes: Uint8Array): void {
    if (this.#damage !== undefined) return;
    try {
      framer.push(bytes);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      this.#damage = thrown;
      this.terminate();
    }
    if (this.#blocks.length > 0) this.#handlers.blocks(Buffer.concat(this.#blocks.splice(0)));
  }

  #framer(): PcapFramer {
    let typeOffset = -1;
    const time = this.#time;
    return new PcapFramer({
      header: ({ linkType: raw, snaplen }) => {
        const linkType = normalLinkType(raw);
        typeOffset = packetTypeOffset(linkType);
        this.#id = this.#handlers.nextId();
        const { name, description } = this.#place;
        this.#blocks.push(
          interfaceDescription({ linkType, snaplen, name, description, filter: this.#arguments.filter }),
        );
        this.#handlers.started();
      },
      packet: (seconds, nanoseconds, caplen, origlen, bytes, offset) => {
        time.setSeconds(seconds, nanoseconds);
        const flags = typeOffset >= 0 && caplen > typeOffset ? directionFlags(bytes[offset + typeOffset] as number) : 0;
        const block = Buffer.alloc(enhancedPacketBytes(caplen, flags !== 0));
        const view = new DataView(block.buffer, block.byteOffset, block.length);
        const id = this.#id ?? 0;
        writeEnhancedPacket(block, view, 0, id, time.high, time.low, caplen, origlen, flags, bytes, offset);
        this.#blocks.push(block);
        this.#captured += 1;
      },
    });
  }

  #finish(end: ExecEnd): void {
    const interfaceId = this.#id;
    if (interfaceId !== undefined) {
      const time = now();
      const { received, droppedByKernel, captured } = this.counters;
      const startTime = this.#startTime;
      this.#handlers.blocks(
        interfaceStatistics({ interfaceId, time, startTime, endTime: time, received, droppedByKernel, captured }),
      );
    }
    if (this.#damage !== undefined) this.#end.resolve({ kind: 'lost', error: this.#damage });
    else if (end.kind === 'exited' && this.#isWhole(end.code)) this.#end.resolve({ kind: 'ended' });
    else if (end.kind === 'exited') this.#end.resolve({ kind: 'failed', ...this.#why(end.code) });
    else this.#end.resolve(end);
  }

  /** It captured to its end, with its counts. The container's own end kills a shell that still runs. */
  #isWhole(code: number): boolean {
    if (this.#id === undefined) return false;
    return code === 0 || (code === KILLED && parseStatistics(this.#words) !== undefined);
  }

  /** Why tcpdump did not capture, in its own words. */
  #why(code: number): { error: KsnoopError; mayNot: boolean } {
    const { namespace, pod, container } = this.#place;
    const words =
      this.#words
        .trim()
        .split('\n')
        .at(-1)
        ?.replace(/^tcpdump: /, '') ?? '';
    if (/syntax error|unknown host|illegal|invalid|aborting/i.test(words) && this.#arguments.filter !== undefined) {
      return { error: new KsnoopError('BAD_FILTER', `The filter does not compile: ${words}.`), mayNot: false };
    }
    const error = new KsnoopError(
      'TCPDUMP_ENDED',
      `tcpdump ended with code ${code} in container ${container} of pod ${namespace}/${pod}: ${words || 'no message'}.`,
    );
    return { error, mayNot: /permission|not permitted/i.test(words) };
  }
}

function now(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}
