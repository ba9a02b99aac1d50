import type { FlowIdentity, FlowInfo } from '../analyze/flow/flow-facts.ts';
import type { Began } from '../analyze/found/began.ts';
import type { FoundWriter } from '../analyze/found/found-writer.ts';
import { IP_PROTOCOL } from '../analyze/layers/ip-protocol.ts';
import type { AnalysisEvent } from '../analyze/record/event.ts';
import { DELTA_MS, identityOf } from './repeated-exchanges.ts';
import { RepeatedLookups } from './repeated-lookups.ts';

/** Rows of flows that wait; past them they are sent. */
const ROWS_MAXIMUM = 1_024;

/** Flows of datagrams that have ended, between two hosts. */
interface Ended {
  readonly flow: FlowIdentity;
  count: number;
}

/**
 * Flows of datagrams while no other agent is part of the capture: what they have in common with others is added up, and a flow of which
 * nothing else is found only counts.
 */
export class AloneDatagrams {
  readonly lookups: RepeatedLookups;
  readonly #found: FoundWriter;
  readonly #now: () => number;
  /** Numbers of open flows that the client knows. */
  readonly #known = new Set<number>();
  readonly #ended = new Map<string, Ended>();
  #since = 0;
  /** When the first of the flows that wait ended, ns. */
  #began = Number.POSITIVE_INFINITY;

  /** @param now the monotonic clock, milliseconds */
  constructor(found: FoundWriter, now: () => number) {
    this.#found = found;
    this.#now = now;
    this.lookups = new RepeatedLookups(found, now);
  }

  /** As RepeatedLookups.since, of both. */
  get since(): number {
    return Math.min(this.lookups.since, this.#began);
  }

  /** A flow has begun whose beginning travels. */
  began(id: number): void {
    this.#known.add(id);
  }

  /** An event of a flow travels next, and before it what the client has to know of the flow. */
  before(event: AnalysisEvent, flow: FlowIdentity): void {
    this.#reveal(flow);
    this.lookups.before(event, flow);
  }

  /** @returns whether it only counts: else its end travels */
  flowEnded(flow: FlowInfo): boolean {
    if (this.#known.delete(flow.id)) return false;
    const { clientHost, serverHost, serverPort, interfaceId } = flow;
    const key = `${clientHost} ${serverHost} ${serverPort} ${interfaceId}`;
    const row = this.#ended.get(key);
    if (row !== undefined) {
      row.count += 1;
      return true;
    }
    if (this.#ended.size >= ROWS_MAXIMUM) this.#sendEnded();
    if (this.#ended.size === 0) {
      this.#since = this.#now();
      this.#began = this.#found.now;
    }
    this.#ended.set(key, { flow: identityOf(flow), count: 1 });
    return true;
  }

  /** Send what has waited for long enough. */
  tick(): void {
    this.lookups.tick();
    if (this.#ended.size > 0 && this.#now() - this.#since >= DELTA_MS) this.#sendEnded();
  }

  /** Send all that waits. */
  flush(): void {
    this.lookups.flush();
    this.#sendEnded();
  }

  /** Another agent joins: it may see the same flows. @param flows those that are open */
  end(flows: (visit: (flow: FlowInfo) => void) => void): void {
    this.flush();
    flows((flow) => {
      if (flow.transport !== 'udp') return;
      this.#reveal(flow);
      this.lookups.sendLast(flow);
    });
    this.#known.clear();
  }

  #reveal(flow: FlowIdentity): void {
    if (this.#known.has(flow.id)) return;
    this.#known.add(flow.id);
    this.#found.began(beganOf(flow));
  }

  #sendEnded(): void {
    for (const { flow, count } of this.#ended.values()) this.#found.flowsGone(count, flow);
    this.#ended.clear();
    this.#began = Number.POSITIVE_INFINITY;
  }
}

/** How a flow of datagrams began, as far as it matters later: who sent its first packet does not, and whose address is where is known. */
function beganOf({ id, interfaceId, clientHost, clientPort, serverHost, serverPort }: FlowIdentity): Began {
  return {
    id,
    ipProtocol: IP_PROTOCOL.udp,
    interfaceId,
    source: clientHost,
    sourcePort: clientPort,
    destination: serverHost,
    destinationPort: serverPort,
    passes: 0,
    known: 0,
  };
}
