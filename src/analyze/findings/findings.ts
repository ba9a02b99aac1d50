import type { FlowFacts, FlowIdentity, FlowInfo } from '../flow/flow-facts.ts';
import type { AnalysisEvent } from '../record/event.ts';
import { FindingBounds } from './cases.ts';
import type { Detector, DetectorKind, FindingContext } from './detector.ts';
import { type Finding, severityRank } from './finding.ts';
import { DETECTORS } from './index.ts';

/** Runs all detectors over what an analysis finds. */
export class Findings {
  readonly #kinds: readonly DetectorKind[];
  readonly #detectors: readonly Detector[];
  readonly #ofEvents: readonly Detector[];
  readonly #ofFlows: readonly Detector[];

  readonly #bounds = new FindingBounds();

  constructor(context: FindingContext, kinds: readonly DetectorKind[] = DETECTORS) {
    this.#kinds = kinds;
    this.#detectors = kinds.map((kind) => kind.create({ ...context, bounds: this.#bounds }));
    this.#ofEvents = this.#detectors.filter((detector) => detector.event !== undefined);
    this.#ofFlows = this.#detectors.filter((detector) => detector.flowEnded !== undefined);
  }

  event(event: AnalysisEvent, flow: FlowIdentity): void {
    // A connection is looked at once: where it was seen first.
    if (flow.sameAs !== undefined) return;
    for (const detector of this.#ofEvents) detector.event?.(event, flow);
  }

  flowEnded(flow: FlowInfo): void {
    if (isJudged(flow)) this.factsEnded(flow.facts());
  }

  /** As flowEnded, with the facts at hand. */
  factsEnded(facts: FlowFacts): void {
    if (!isJudged(facts)) return;
    for (const detector of this.#ofFlows) detector.flowEnded?.(facts);
  }

  /** Some servers or clients had no room in a detector's table: there may be more findings. */
  get areIncomplete(): boolean {
    return this.#bounds.areReached;
  }

  /** What was found until now: the worst first, then what happened most; without what another finding explains. */
  list(): Finding[] {
    const all = this.#detectors.flatMap((detector) => detector.findings());
    const explained = new Set<string>();
    for (const { explains } of this.#kinds) {
      for (const { code, subject } of all) {
        for (const consequence of explains?.[code] ?? []) explained.add(`${consequence} ${subject}`);
      }
    }
    return all
      .filter(({ code, subject }) => !explained.has(`${code} ${subject}`))
      .sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || b.cases - a.cases);
  }
}

/** Whether a flow is a connection that counts, and counts here. */
function isJudged({ continued, sameAs, transport }: FlowInfo | FlowFacts): boolean {
  return continued !== true && sameAs === undefined && transport === 'tcp';
}
