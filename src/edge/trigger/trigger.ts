import { join } from 'node:path';
import { PacketSpan, readChunk } from '../../agent/recording/blocks.ts';
import type { TriggerData, TriggerReport } from '../../agent/recording/trigger-messages.ts';
import { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { AnalysisEvent } from '../../analyze/record/event.ts';
import { compileNodeWhere } from '../../analyze/where/node-where.ts';
import { systemCode } from '../../wire/errors.ts';
import { keyOfFlow } from './flow-key.ts';
import { Keeper, readBytes } from './keeper.ts';
import { PacketIndex } from './packet-index.ts';
import { Windows } from './windows.ts';

/** A packet has come so long after its time at the latest, milliseconds: tcpdump's ring in busy mode, and what gathers its output. */
export const LATE_MS = 2_500;

/** Evaluates a trigger over a recording's pieces as they grow, and keeps the packets around what matches. */
export class Trigger {
  readonly #directory: string;
  readonly #report: (report: TriggerReport) => void;
  readonly #session: AnalysisSession;
  readonly #index = new PacketIndex();
  readonly #interfaces: Buffer[] = [];
  readonly #windows: Windows;
  readonly #keeper: Keeper;
  readonly #now: () => number;
  #fired = 0;
  #missed = 0;

  /**
   * @param report takes what happens
   * @param now milliseconds since 1970
   * @throws KsnoopError BAD_TRIGGER
   */
  constructor(data: TriggerData, report: (report: TriggerReport) => void, now: () => number = Date.now) {
    const { directory, trigger, keptBytes, keptPieces, nextKept } = data;
    this.#directory = directory;
    this.#report = report;
    this.#now = now;
    this.#windows = new Windows(trigger.beforeMs * 1e6, trigger.afterMs * 1e6);
    this.#keeper = new Keeper({
      ...{ directory, index: this.#index, interfaces: this.#interfaces, keptBytes, keptPieces, nextKept },
      kept: (piece) => report({ type: 'kept', piece }),
      problem: (message) => report({ type: 'problem', message }),
    });
    this.#session = new AnalysisSession(
      {
        detail: true,
        packets: false,
        create: () => ({ event: (event, flow) => this.#matched(event, flow) }),
      },
      {
        where: compileNodeWhere(trigger.where),
        choice: undefined,
        showSecrets: true,
        line: () => {},
        colour: false,
        align: false,
        width: undefined,
        json: false,
      },
    );
  }

  /** Blocks of the stream were written to a piece. */
  grew(piece: string, from: number, to: number): void {
    this.#take(piece, from, to);
    if (this.#fired > 0) this.#report({ type: 'fired', count: this.#fired });
    this.#fired = 0;
  }

  gone(piece: string): void {
    this.#index.remove(piece);
  }

  /** Keep what can be kept by now. To be called now and then. */
  look(): void {
    this.#keep(this.#relative(BigInt(this.#now() - LATE_MS) * 1_000_000n));
  }

  /** No more comes: every flow ends, and all that is to be kept is. */
  end(): void {
    this.#session.end();
    if (this.#fired > 0) this.#report({ type: 'fired', count: this.#fired });
    this.#fired = 0;
    this.#keep(Number.POSITIVE_INFINITY);
  }

  #take(piece: string, from: number, to: number): void {
    let bytes: Buffer;
    try {
      bytes = readBytes(join(this.#directory, piece), from, to);
    } catch (thrown) {
      if (systemCode(thrown) !== 'ENOENT') throw thrown;
      this.#missed += to - from;
      const message = `The trigger is slower than the traffic: ${this.#missed} bytes were replaced before they were evaluated.`;
      this.#report({ type: 'problem', message });
      return;
    }
    const span = new PacketSpan();
    readChunk(bytes, span, this.#interfaces);
    this.#session.push(bytes);
    const { first, last } = span;
    if (first === undefined || last === undefined) return;
    this.#index.add({ piece, from, to, first: this.#relative(first), last: this.#relative(last) });
  }

  #matched(event: AnalysisEvent, flow: FlowInfo): void {
    // The other side of a NAT has the same exchange.
    if (event.kind === 'exchange' && flow.sameAs !== undefined) return;
    this.#fired += 1;
    const { first: flowFirst } = flow.facts();
    const last = event.kind === 'exchange' ? (event.responseEnd ?? event.responseTime ?? event.requestEnd) : event.time;
    this.#windows.add({
      first: event.time,
      last: Math.max(event.time, last),
      flow: keyOfFlow(flow, this.#session.capture.analysis.hosts),
      flowFirst: Math.min(flowFirst, event.time),
    });
  }

  #keep(until: number): void {
    const start = this.#session.capture.analysis.clock.absolute(0);
    const base = { high: Number(start >> 32n), low: Number(start & 0xffff_ffffn) };
    this.#keeper.keep(this.#windows.due(until), base);
  }

  #relative(absolute: bigint): number {
    return this.#session.capture.analysis.clock.relative(absolute);
  }
}
