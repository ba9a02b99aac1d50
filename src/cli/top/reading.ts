import type { AnalysisSession } from '../../analyze/engine/session.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import type { FlowFacts } from '../../analyze/flow/flow-facts.ts';
import type { Recorder } from '../../analyze/record/record.ts';
import type { ActivityReading } from '../../analyze/summary/activity.ts';
import type { SummaryReport } from '../../analyze/summary/report.ts';
import { serviceKey } from '../../analyze/summary/service-totals.ts';
import type { PathStats } from '../../analyze/trace/paths.ts';
import type { CaptureState, EventList, FlowList } from '../../view/top/model.ts';
import { OPEN_FLOWS_LISTED } from './limits.ts';
import type { KeptEvent, Shown } from './shown.ts';

export interface ReadingSources {
  readonly session: AnalysisSession;
  readonly shown: Shown;
  /** Of the analysis: ns since its first packet. */
  readonly now: number;
  readonly capture: () => CaptureState;
  readonly paths: () => readonly PathStats[];
  readonly findings: () => readonly Finding[];
}

/** The state at one moment; each part is made when it is first read. */
export class Reading {
  readonly #session: AnalysisSession;
  readonly #shown: Shown;
  readonly #now: number;
  readonly #capture: () => CaptureState;
  readonly #makePaths: () => readonly PathStats[];
  readonly #makeFindings: () => readonly Finding[];
  #report: SummaryReport | undefined;
  #activity: Map<string, ActivityReading | undefined> | undefined;
  #totals: ReadonlyMap<string, number> | undefined;
  #events: EventList | undefined;
  #flows: FlowList | undefined;
  #state: CaptureState | undefined;
  #findings: readonly Finding[] | undefined;
  #paths: readonly PathStats[] | undefined;
  #frozen = false;

  constructor({ session, shown, now, capture, paths, findings }: ReadingSources) {
    this.#session = session;
    this.#shown = shown;
    this.#now = now;
    this.#capture = capture;
    this.#makePaths = paths;
    this.#makeFindings = findings;
  }

  get report(): SummaryReport | undefined {
    // What was paused before the first packet stays without.
    if (this.#frozen || this.#session.span === undefined) return this.#report;
    this.#report ??= {
      ...this.#shown.sums.report(this.#session.recorder, this.#session.span),
      sample: this.#session.sample,
    };
    return this.#report;
  }

  activity(service: string, protocol: string): ActivityReading | undefined {
    const key = serviceKey(service, protocol);
    this.#activity ??= new Map();
    if (this.#frozen || this.#activity.has(key)) return this.#activity.get(key);
    this.#totals ??= totalsOf(this.report);
    this.#shown.activity.advance(this.#now);
    const reading = this.#shown.activity.reading(key, this.#totals.get(key) ?? 0, this.#now);
    this.#activity.set(key, reading);
    return reading;
  }

  get events(): EventList {
    this.#events ??= eventList(this.#session, this.#shown.events);
    return this.#events;
  }

  get flows(): FlowList {
    this.#flows ??= this.#makeFlows();
    return this.#flows;
  }

  get findings(): readonly Finding[] {
    this.#findings ??= this.#session.span === undefined ? [] : this.#makeFindings();
    return this.#findings;
  }

  get paths(): readonly PathStats[] {
    this.#paths ??= this.#session.span === undefined ? [] : this.#makePaths();
    return this.#paths;
  }

  get capture(): CaptureState {
    this.#state ??= this.#capture();
    return this.#state;
  }

  /** From now on it stays as it is, whatever the analysis finds. */
  freeze(): void {
    for (const { service, protocol } of this.report?.services ?? []) this.activity(service, protocol);
    this.#events = eventList(this.#session, this.#shown.events.copy());
    this.#flows ??= this.#makeFlows();
    this.#findings = this.findings;
    this.#paths = this.paths;
    this.#state ??= this.#capture();
    this.#frozen = true;
  }

  #makeFlows(): FlowList {
    const facts: FlowFacts[] = [];
    let open = 0;
    if (this.#session.span !== undefined) {
      this.#session.capture.analysis.eachOpenFlow((flow) => {
        open += 1;
        if (facts.length >= OPEN_FLOWS_LISTED) return;
        const each = flow.facts();
        if (this.#shown.wants(each)) facts.push(each);
      });
    }
    open += this.#session.capture.found.open;
    facts.push(...this.#shown.ended);
    const recorder = () => this.#session.recorder as Recorder;
    return { facts, open, dropped: this.#shown.ended.first, record: (each) => recorder().flow(each) };
  }
}

function eventList(
  session: AnalysisSession,
  kept: { readonly first: number; readonly end: number; at(number: number): KeptEvent | undefined },
): EventList {
  return {
    get first() {
      return kept.first;
    },
    get end() {
      return kept.end;
    },
    at: (number) => {
      const found = kept.at(number);
      return found === undefined ? undefined : session.recorder.event(found.event, found.flow);
    },
  };
}

function totalsOf(report: SummaryReport | undefined): ReadonlyMap<string, number> {
  return new Map(report?.services.map(({ service, protocol, count }) => [serviceKey(service, protocol), count]));
}
