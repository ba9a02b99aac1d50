import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowIdentity, FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { PacketView } from '../../analyze/packet/packet.ts';
import type { AnalysisEvent, Exchange } from '../../analyze/record/event.ts';
import { fieldsIn, textIn } from '../../analyze/record/field-values.ts';
import { MASK } from '../../analyze/record/mask.ts';
import type { Call } from '../../analyze/trace/call.ts';
import { isCall } from '../../analyze/trace/tracer.ts';
import { Joining } from '../analysis/joining.ts';
import type { Above, SpanContext } from './spans.ts';

/** The header whose id is made for one request and carried through by proxies and services. */
const REQUEST_ID = 'x-request-id';
/** Shorter ids are numbers and words that other requests have as well. */
const ID_CHARACTERS = 16;

/** How an exchange's span is placed. */
export interface SpanPlace {
  /** The request that it was made because of. */
  readonly above: Above | undefined;
  /** An id of the request that calls made because of it are proven to carry, too: its trace is named by that. */
  readonly carriedId: string | undefined;
  /** Calls were made because of it: their spans need its context, also where it is no span that is sent. */
  readonly hasCalls: boolean;
}

const ALONE: SpanPlace = { above: undefined, carriedId: undefined, hasCalls: false };

/** Takes an exchange for a span. @returns undefined where nothing can be below it */
export type TakeExchange = (exchange: Exchange, flow: FlowIdentity, place: SpanPlace) => SpanContext | undefined;

/** Exchanges in the order in which their spans can be made: those that calls belong to before these. */
export class JoinedSpans {
  readonly #joining: Joining;
  readonly #take: TakeExchange;

  constructor(session: AnalysisSession, live: boolean, take: TakeExchange) {
    this.#take = take;
    const done = (call: Call) => this.#tree(call);
    this.#joining = new Joining(session, live, { done, apart: done });
  }

  event(event: AnalysisEvent, flow: FlowInfo): void {
    const { isOn, tracer } = this.#joining;
    if (isOn || event.kind !== 'exchange') tracer.event(event, flow);
    if (event.kind !== 'exchange' || flow.sameAs !== undefined) return;
    if (!isOn || !isCall(event, flow)) this.#take(event, flow, ALONE);
  }

  packet(packet: PacketView): void {
    this.#joining.packet(packet);
  }

  flowEnded(flow: FlowInfo): void {
    this.#joining.tracer.flowEnded(flow);
  }

  legJoined(flow: FlowInfo): void {
    this.#joining.tracer.legJoined(flow);
  }

  end(): void {
    this.#joining.tracer.end();
  }

  /** Lines for people, after the end. */
  notes(): readonly string[] {
    const { hurried, forgotten } = this.#joining.tracer;
    const left = hurried + forgotten;
    return left === 0 ? [] : ['spans are joined in part: there were too many requests at once'];
  }

  /** A call and all that were made because of it. Not by recursion: how deep calls are nested is up to the packets. */
  #tree(root: Call): void {
    const open: { call: Call; above: Above | undefined }[] = [{ call: root, above: undefined }];
    for (let next = open.pop(); next !== undefined; next = open.pop()) {
      const { call, above } = next;
      const below = [...call.children, ...(call.passedTo === undefined ? [] : [call.passedTo])];
      // What stands for a connection that did not come up is no exchange.
      const hasCalls = below.length > 0;
      const context =
        call.connect === undefined
          ? this.#take(call.exchange, call.flow, { above, carriedId: carriedIdOf(call), hasCalls })
          : undefined;
      for (const { call: inner, confidence } of below) {
        open.push({ call: inner, above: context === undefined ? undefined : { context, confidence } });
      }
    }
  }
}

/** The request id that a call shares with one that is proven to be made because of it. */
function carriedIdOf({ exchange, children, passedTo }: Call): string | undefined {
  const own = requestIdOf(exchange);
  if (own === undefined) return undefined;
  const isCarried = [...children, ...(passedTo === undefined ? [] : [passedTo])].some(
    ({ call, confidence }) => confidence === 'proven' && requestIdOf(call.exchange) === own,
  );
  return isCarried ? own : undefined;
}

function requestIdOf({ fields }: Exchange): string | undefined {
  const id = textIn(fieldsIn(fieldsIn(fields.http)?.requestHeaders)?.[REQUEST_ID]);
  return id.length < ID_CHARACTERS || id.includes(MASK) ? undefined : id;
}
