import type { Side } from '../../analyze/diff/compare.ts';
import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { FlowIdentity } from '../../analyze/flow/flow-facts.ts';
import type { Exchange } from '../../analyze/record/event.ts';
import { SIDE } from '../../analyze/record/event.ts';
import { Summary } from '../../analyze/summary/summary.ts';
import type { AnalysisForm } from '../analysis/form.ts';
import { Found } from '../analysis/found.ts';

/** Collects one side of a comparison, or the sides of several pods, from one reading. It prints nothing. */
export class Collected {
  readonly #pods: readonly (string | undefined)[];
  readonly #sides: { readonly summary: Summary; readonly found: Found; exchanges: number; connections: number }[] = [];
  #session: AnalysisSession | undefined;

  /** @param pods `shop/web-1`: one side for what each of them serves; undefined: one side for everything */
  constructor(pods: readonly (string | undefined)[] = [undefined]) {
    this.#pods = pods;
  }

  readonly form: AnalysisForm = {
    name: 'diff',
    about: '',
    json: false,
    load: () => Promise.resolve(this.#kind),
  };

  readonly #kind: AnalysisOutputKind = {
    detail: true,
    packets: false,
    create: ({ session }) => {
      this.#session = session;
      for (const _ of this.#pods) {
        const summary = new Summary(session.capture.analysis.hosts, session.names);
        this.#sides.push({ summary, found: new Found(session), exchanges: 0, connections: 0 });
      }
      return {
        event: (event, flow) => {
          for (const [index, side] of this.#sides.entries()) {
            const asked = event.kind === 'exchange' ? event : undefined;
            if (!this.#serves(this.#pods[index], flow, event.time, asked)) continue;
            if (asked !== undefined && flow.sameAs === undefined) side.exchanges += 1;
            side.summary.event(event, flow);
            side.found.event(event, flow);
          }
        },
        flowEnded: (flow) => {
          for (const [index, side] of this.#sides.entries()) {
            if (!this.#serves(this.#pods[index], flow, Number.POSITIVE_INFINITY, undefined)) continue;
            if (flow.transport === 'tcp' && flow.sameAs === undefined) side.connections += 1;
            side.summary.flowEnded(flow);
            side.found.flowEnded(flow);
          }
        },
      };
    },
  };

  /** The sides, in the order of the pods, after the reading. */
  sides(): Side[] {
    const session = this.#session;
    if (session === undefined) return [];
    const { span, recorder } = session;
    const duration = span === undefined ? 0 : span.last - span.first;
    return this.#sides.map(({ summary, found, exchanges, connections }) => ({
      summary: summary.totals(recorder, span),
      findings: found.list(),
      totals: { exchanges, connections, duration },
    }));
  }

  /** Pods that the capture names, after the reading. */
  pods(): string[] {
    return this.#session?.names.pods() ?? [];
  }

  #serves(pod: string | undefined, flow: FlowIdentity, time: number, exchange: Exchange | undefined): boolean {
    if (pod === undefined) return true;
    const host = exchange?.requester === SIDE.server ? flow.clientHost : flow.serverHost;
    return this.#session?.names.ofHost(host, time, flow.interfaceId)?.text === pod;
  }
}
