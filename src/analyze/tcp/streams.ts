import { FLOW_I32, TCP_I32 } from '../flow/flow-layout.ts';
import type { FlowTable } from '../flow/flow-table.ts';
import type { StreamEnd } from '../protocols/protocol.ts';
import { SEEN } from './flags.ts';
import type { Reassembly } from './reassembly.ts';
import { TcpStream } from './stream.ts';
import type { StreamHost } from './stream-host.ts';

/** Streams of ended connections that are kept to be used again. */
const SPARE_STREAMS = 1024;

/** The streams of the connections of a table, by slot: made with the first bytes of a connection, used again after its end. */
export class Streams {
  readonly #table: FlowTable;
  readonly #reassembly: Reassembly;
  readonly #host: StreamHost;
  readonly #streams: (TcpStream | undefined)[] = [];
  readonly #spare: TcpStream[] = [];
  /** Names of protocols of streams that have ended, by FLOW_I32.protocol. */
  readonly #protocols: string[] = [];

  constructor(table: FlowTable, reassembly: Reassembly, host: StreamHost) {
    this.#table = table;
    this.#reassembly = reassembly;
    this.#host = host;
  }

  /** The stream of a connection; undefined where no bytes of it have come, and after its end. */
  at(slot: number): TcpStream | undefined {
    return this.#streams[slot];
  }

  /** The protocol of a connection, also after its stream's end; undefined where it is not recognised. */
  protocolOf(slot: number): string | undefined {
    const number = this.#table.ints[this.#table.base(slot) + FLOW_I32.protocol] as number;
    return this.#streams[slot]?.protocol?.name ?? this.#protocols[number - 1];
  }

  /** The first bytes of a connection have come. */
  begin(slot: number): TcpStream {
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    const client = ints[base + FLOW_I32.client] as number;
    const ports = ints[base + FLOW_I32.ports] as number;
    const [portA, portB] = [ports >>> 16, ports & 0xffff];
    const midstream = ((ints[base + TCP_I32.flags] as number) & SEEN.midstream) !== 0;
    const [clientPort, serverPort] = client === 0 ? [portA, portB] : [portB, portA];
    const stream = this.#spare.pop() ?? new TcpStream(this.#host);
    stream.begin(slot, (ints[base + FLOW_I32.id] as number) - 1, client, midstream, clientPort, serverPort);
    this.#streams[slot] = stream;
    for (let direction = 0; direction < 2; direction += 1) {
      if (((ints[base + TCP_I32.flags + direction] as number) & SEEN.acknowledged) !== 0)
        stream.acknowledges(1 - direction, ((ints[base + TCP_I32.initial + direction] as number) + 1) | 0);
    }
    return stream;
  }

  /** What waits of a connection is handed on, and its stream ends, if it has one. @param by the direction that closed first, or reset */
  end(slot: number, how: StreamEnd, by?: number | undefined): void {
    const stream = this.#streams[slot];
    if (stream === undefined || stream.ended) return;
    this.#reassembly.flush(stream);
    // Bytes handed on just now may have ended the stream. Kept as a spare twice, it would be used for two connections at once.
    if (stream.ended) return;
    stream.end(how, by);
    const { ints } = this.#table;
    const base = this.#table.base(slot);
    ints[base + TCP_I32.flags] = (ints[base + TCP_I32.flags] as number) | SEEN.streamEnded;
    const name = stream.protocol?.name;
    if (name !== undefined) {
      const known = this.#protocols.indexOf(name);
      ints[base + FLOW_I32.protocol] = known < 0 ? this.#protocols.push(name) : known + 1;
    }
    this.#streams[slot] = undefined;
    // After its end an analyzer must not call its context.
    if (this.#spare.length < SPARE_STREAMS) this.#spare.push(stream);
  }
}
