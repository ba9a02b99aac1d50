import { clusterFindings } from '../../analyze/findings/cluster/index.ts';
import { mergeFindings, suspects } from '../../analyze/findings/cluster/merge.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import type { OpenedQuery } from '../capture/find-targets.ts';
import { type Examination, examineNamespaces } from './examination.ts';
import { LiveFindings } from './live-findings.ts';
import { ReadinessWatch } from './readiness-watch.ts';
import { subjectsOf } from './subjects.ts';

/** The diagnosis of targets that are captured: their objects before and after, their packets between. */
export class Diagnosis {
  readonly live = new LiveFindings();
  readonly #opened: OpenedQuery | undefined;
  #before: Examination | undefined;
  #after: Examination | undefined;
  #readiness: ReadinessWatch | undefined;
  /** Findings that were reported already, by code and subject. */
  readonly #reported = new Set<string>();

  /** @param opened undefined where no objects are looked at: on this machine, or in all namespaces at once */
  constructor(opened: OpenedQuery | undefined) {
    this.#opened = opened;
  }

  /** Read the objects before the capture. @throws the signal's reason, and what is no KsnoopError */
  async examine(signal: AbortSignal): Promise<Finding[]> {
    const places = this.#opened?.query.namespaces;
    if (this.#opened === undefined || places === undefined) return [];
    const { kube } = this.#opened;
    this.#before = await examineNamespaces(kube, places, signal, subjectsOf(this.#opened.query));
    this.#readiness = new ReadinessWatch(kube, this.#before.namespaces);
    return this.#fresh(this.#ofBefore());
  }

  /** Objects as they were before the capture; undefined where none were read. */
  get before(): Examination | undefined {
    return this.#before;
  }

  /** What was found since it was asked last. Hints may still be refuted, so they are left to the end. */
  news(): Finding[] {
    return this.#fresh(this.live.packets().filter(({ confidence }) => confidence !== 'hint'));
  }

  /** Read the objects once more, those of the Services included with which something is wrong. */
  async conclude(signal: AbortSignal): Promise<void> {
    if (this.#opened === undefined || this.#before === undefined) return;
    const others = [...this.#suspects()].flatMap((subject) => this.live.service(subject)?.namespace ?? []);
    const places = [...new Set([...this.#before.namespaces, ...others])];
    const after = await examineNamespaces(this.#opened.kube, places, signal);
    // Secrets hold private keys too: they are read once.
    const tlsSecrets = this.#before.facts?.tlsSecrets;
    this.#after = { ...after, facts: after.facts === undefined ? undefined : { ...after.facts, tlsSecrets } };
  }

  /** Whether the objects alone prove that something fails. */
  get hasErrors(): boolean {
    return this.#ofBefore().some(({ severity }) => severity === 'error');
  }

  /** Ends the watch of pods and the connections to the API server. */
  async close(): Promise<void> {
    await this.#readiness?.stop();
    this.#opened?.kube.close();
  }

  #ofBefore(): Finding[] {
    const facts = this.#before?.facts;
    if (facts === undefined || this.#opened === undefined) return [];
    return clusterFindings(facts, subjectsOf(this.#opened.query));
  }

  /** What was found, the worst first. */
  findings(): Finding[] {
    const packets = this.live.packets();
    const facts = this.#after?.facts ?? this.#before?.facts;
    if (facts === undefined || this.#opened === undefined) return packets;
    const { query } = this.#opened;
    const before = this.#before?.facts;
    const watched = { before, readiness: this.#readiness?.facts() };
    const answered = this.live.answered(facts);
    // What got through refutes a policy that is not enforced.
    const isRefuted = ({ code, subject }: Finding) => code === 'NETWORK_POLICY_DROPS' && answered.has(subject);
    const subjects = subjectsOf(query, this.#suspects());
    return mergeFindings(
      {
        objects: clusterFindings(facts, subjects, watched).filter((finding) => !isRefuted(finding)),
        before: this.#ofBefore().filter((finding) => !isRefuted(finding)),
        blocked: this.live.blocked(facts),
        packets,
      },
      facts,
    );
  }

  /** Namespaces whose objects were looked at. */
  get namespaces(): readonly string[] {
    return (this.#after ?? this.#before)?.namespaces ?? [];
  }

  /** Why objects were not looked at, one sentence each. */
  get unread(): readonly string[] {
    return [...new Set([...(this.#before?.unread ?? []), ...(this.#after?.unread ?? [])])];
  }

  /** Services to which connections fail. */
  #suspects(): Set<string> {
    return suspects(this.live.packets());
  }

  #fresh(findings: readonly Finding[]): Finding[] {
    return findings.filter(({ code, subject }) => {
      const key = `${code} ${subject}`;
      if (this.#reported.has(key)) return false;
      this.#reported.add(key);
      return true;
    });
  }
}
