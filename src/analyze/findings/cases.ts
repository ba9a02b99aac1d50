import { FINDING_EXAMPLES, FINDING_SUBJECTS } from '../limits.ts';
import type { Evidence } from './finding.ts';

/** At least so many cases, or this share of the attempts, make a finding. */
const LEAST_CASES = 3;
const LEAST_SHARE = 0.01;

/** What was counted of one subject. */
export class Case {
  /** Cases, and attempts, cases included. */
  cases = 0;
  attempts = 0;
  first = Number.NaN;
  last = Number.NaN;
  /** Numbers of flows, a few. */
  readonly flows: number[] = [];
  /** Different texts that came with cases, a few, with how often. */
  readonly texts = new Map<string, number>();
  /** There were others, for which there was no room. */
  areTextsCut = false;
  /** Maximum of what is measured. */
  most = 0;

  /** Whether there are enough of them to say so. */
  get counts(): boolean {
    return this.cases > 0 && (this.cases >= LEAST_CASES || this.cases >= this.attempts * LEAST_SHARE);
  }

  /** @param time ns @param text what to tell apart; empty for nothing */
  add(flow: number, time: number, text = ''): void {
    this.cases += 1;
    if (Number.isNaN(this.first)) this.first = time;
    this.#reach(time);
    if (this.flows.length < FINDING_EXAMPLES && !this.flows.includes(flow)) this.flows.push(flow);
    if (text === '') return;
    const count = this.texts.get(text);
    if (count !== undefined || this.texts.size < FINDING_EXAMPLES) this.texts.set(text, (count ?? 0) + 1);
    else this.areTextsCut = true;
  }

  /** Several cases of one flow, which may come later than others of their time. @param first, last ns @param text as for `add` */
  addSeveral(count: number, flow: number, first: number, last: number, text = ''): void {
    const isFirst = Number.isNaN(this.first);
    const begin = isFirst ? first : Math.min(this.first, first);
    const end = isFirst ? last : Math.max(this.last, last);
    this.add(flow, first, text);
    this.cases += count - 1;
    this.first = begin;
    this.last = end;
  }

  /** Whether a further case with a text changes nothing but numbers. */
  isKnown(text: string): boolean {
    return this.flows.length === FINDING_EXAMPLES && (this.texts.has(text) || this.areTextsCut);
  }

  /** Add further cases with a text that is known. @param last when the last one was, ns */
  addKnown(count: number, last: number, text: string): void {
    this.cases += count;
    this.#reach(last);
    const before = this.texts.get(text);
    if (before !== undefined) this.texts.set(text, before + count);
  }

  /** Add many cases of which one flow is known. @param last when the last one was, ns @param text as for `add`, never empty */
  addMany(count: number, flow: number, last: number, text: string): void {
    const isKnown = this.isKnown(text);
    if (!isKnown) this.add(flow, last, text);
    this.addKnown(isKnown ? count : count - 1, last, text);
  }

  /** Cases may come later than others of their time. */
  #reach(time: number): void {
    if (!(this.last > time)) this.last = time;
  }

  /** @param value ns, bytes: whatever is measured */
  measure(value: number): void {
    if (value > this.most) this.most = value;
  }

  /** Texts, the most frequent first. */
  frequent(): string[] {
    return [...this.texts].sort((a, b) => b[1] - a[1]).map(([text]) => text);
  }

  /** @param where a `--where` that shows it; without, one that shows the flows */
  evidence(text: string, where = flowsWhere(this.flows)): Evidence {
    const times = Number.isNaN(this.first) ? undefined : ([this.first, this.last] as const);
    return { text, flows: [...this.flows], times, where };
  }
}

/** A `--where` that shows some flows; undefined for none. */
export function flowsWhere(flows: readonly number[]): string | undefined {
  if (flows.length === 0) return undefined;
  return flows.length === 1 ? `flow == ${flows[0]}` : `flow in [${flows.join(', ')}]`;
}

/** What bounds cost all detectors of an analysis. */
export class FindingBounds {
  /** Some subjects had no room (FINDING_SUBJECTS): there may be more findings. */
  areReached = false;
}

/** Cases by subject, at most FINDING_SUBJECTS of them. */
export class Cases {
  readonly #bounds: FindingBounds | undefined;
  readonly #cases = new Map<string, Case>();
  /** The subject asked for last: what one server or client does comes in a row. */
  #lastSubject = '';
  #last: Case | undefined;
  /** Of subjects without room: takes what is counted, and is never listed. */
  #rest: Case | undefined;

  /** @param bounds where it is noted that there are more subjects */
  constructor(bounds?: FindingBounds) {
    this.#bounds = bounds;
  }

  of(subject: string): Case {
    if (this.#last !== undefined && subject === this.#lastSubject) return this.#last;
    let found = this.#cases.get(subject);
    if (found === undefined) {
      if (this.#cases.size >= FINDING_SUBJECTS) {
        if (this.#bounds !== undefined) this.#bounds.areReached = true;
        this.#rest ??= new Case();
        return this.#rest;
      }
      found = new Case();
      this.#cases.set(subject, found);
    }
    this.#lastSubject = subject;
    this.#last = found;
    return found;
  }

  /** Every case was an attempt of its subject that was counted elsewhere. @param counted how many; undefined where they were not */
  attemptsOf(counted: (subject: string) => number | undefined): void {
    for (const [subject, found] of this.#cases) found.attempts = counted(subject) ?? found.cases;
  }

  /** Those with enough cases. */
  counting(): [subject: string, found: Case][] {
    return [...this.#cases].filter(([, found]) => found.counts);
  }

  all(): [subject: string, found: Case][] {
    return [...this.#cases];
  }
}
