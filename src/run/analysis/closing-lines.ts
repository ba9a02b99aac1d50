import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { contextOf } from '../../analyze/findings/detector.ts';
import { Findings } from '../../analyze/findings/findings.ts';
import type { FlowIdentity, FlowInfo } from '../../analyze/flow/flow-facts.ts';
import type { AnalysisEvent } from '../../analyze/record/event.ts';
import { Colours } from '../../view/colour.ts';
import { findingHead } from '../../view/finding-lines.ts';
import { counted, grouped } from '../../view/units.ts';

/** Findings that are named at the end; -o findings shows all of them. */
const FINDINGS_SHOWN = 3;

/** What a list of requests ends with: what had no answer, what was sent again, and the worst findings. */
export class ClosingLines {
  /** Undefined where an expression chooses events: of a part none could be proven. */
  readonly #findings: Findings | undefined;
  #unanswered = 0;
  #retransmissions = 0;

  constructor(session: AnalysisSession) {
    this.#findings = session.where === undefined ? new Findings(contextOf(session)) : undefined;
  }

  event(event: AnalysisEvent, flow: FlowIdentity): void {
    if (flow.sameAs !== undefined) return;
    if (event.kind === 'exchange' && (event.incomplete === 'no response' || event.incomplete === 'timed out'))
      this.#unanswered += 1;
    this.#findings?.event(event, flow);
  }

  flowEnded(flow: FlowInfo): void {
    if (flow.transport !== 'tcp' || flow.sameAs !== undefined) return;
    const facts = flow.facts();
    for (const direction of [facts.tcp?.client, facts.tcp?.server]) {
      if (direction !== undefined)
        this.#retransmissions += direction.retransmissions - direction.spuriousRetransmissions;
    }
    this.#findings?.factsEnded(facts);
  }

  lines(): string[] {
    const counts = [
      ...(this.#unanswered > 0 ? [`${counted(this.#unanswered, 'request')} without a response`] : []),
      ...(this.#retransmissions > 0 ? [counted(this.#retransmissions, 'TCP retransmission')] : []),
    ];
    const lines = counts.length > 0 ? [counts.join(', ')] : [];
    const found = this.#findings?.list().filter(({ severity }) => severity !== 'information') ?? [];
    if (found.length === 0) return lines;
    const plain = new Colours(false);
    lines.push(...found.slice(0, FINDINGS_SHOWN).map((finding) => findingHead(finding, plain)));
    const more = found.length - FINDINGS_SHOWN;
    lines.push(`${more > 0 ? `${grouped(more)} more; ` : ''}-o findings shows the evidence and what to do next`);
    return lines;
  }
}
