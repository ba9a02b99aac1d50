import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import type { AnalysisSession } from '../../analyze/engine/session.ts';
import { BlockedConnections } from '../../analyze/findings/cluster/blocked.ts';
import type { ClusterFacts } from '../../analyze/findings/cluster-facts.ts';
import { serviceNamed } from '../../analyze/findings/detector.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import type { ServiceName } from '../../analyze/findings/words.ts';
import { Found, type Looked } from '../analysis/found.ts';

/** The findings of a capture that runs: they can be asked for at any time, and are judged with the objects of the cluster. */
export class LiveFindings {
  /** The output of the analysis. It prints nothing. */
  readonly kind: AnalysisOutputKind = {
    detail: true,
    packets: false,
    create: ({ session }) => {
      const found = new Found(session);
      const blocked = new BlockedConnections(found.context);
      this.#analysis = { session, found, blocked };
      return {
        event: (event, flow) => found.event(event, flow),
        flowEnded: (flow) => {
          found.flowEnded(flow);
          if (flow.transport === 'tcp' && flow.continued !== true) blocked.flowEnded(flow.facts());
        },
      };
    },
  };
  #analysis:
    | { readonly session: AnalysisSession; readonly found: Found; readonly blocked: BlockedConnections }
    | undefined;

  /** Of packets alone. */
  packets(): Finding[] {
    return this.#analysis?.found.list() ?? [];
  }

  /** Of packets with the objects. */
  blocked(facts: ClusterFacts): Finding[] {
    if (this.#analysis === undefined) return [];
    const { blocked, session } = this.#analysis;
    return blocked.findings(
      facts,
      session.interfaces.map(({ name }) => name ?? ''),
    );
  }

  /** Subjects of which some connection was answered. */
  answered(facts: ClusterFacts): ReadonlySet<string> {
    return this.#analysis?.blocked.answered(facts) ?? new Set();
  }

  /** The Service that a subject is; undefined for another name. */
  service(subject: string): ServiceName | undefined {
    return this.#analysis && serviceNamed(this.#analysis.found.context, subject);
  }

  get looked(): Looked {
    return this.#analysis?.found.looked ?? { exchanges: 0, connections: 0, duration: 0 };
  }

  /** RFC 3339 of a time in ns since the first packet. */
  timeText(time: number): string {
    return this.#analysis?.session.recorder.timeText(time) ?? '';
  }
}
