import type { PodView } from '../../capture/kube/pod.ts';
import type { RecordingStop } from '../../wire/recording.ts';
import type { CaptureView } from '../capture-object.ts';
import type { AgentPods } from '../tickets.ts';
import { END_WAIT_MS } from './limits.ts';
import { NodeRecording, type NodeRecordingParts } from './node-recording.ts';
import { lostReport, type NodeReport, reportOf, reportsOf } from './report.ts';

export interface CaptureRecordingParts extends NodeRecordingParts {
  /** An agent's pod by its UID, ready or not; undefined when it is gone. */
  readonly agent: (uid: string) => PodView | undefined;
}

/** The recording of one Capture on all nodes. What it needs to know of the past is in the Capture's status, and at the agents. */
export class CaptureRecording {
  readonly #parts: CaptureRecordingParts;
  /** By UID of the agent. */
  readonly #nodes = new Map<string, NodeRecording>();
  /** What is known of agents before they answer, or for ever where they are gone. */
  readonly #reports: Map<string, NodeReport>;
  #capture: CaptureView;
  #stoppedFor: RecordingStop['reason'] | undefined;

  constructor(capture: CaptureView, parts: CaptureRecordingParts) {
    this.#capture = capture;
    this.#parts = parts;
    this.#reports = new Map(reportsOf(capture.status).map((report) => [report.agent, report]));
    for (const uid of this.#reports.keys()) this.adopt(uid);
  }

  /** Follow what an agent records of this Capture already. */
  adopt(uid: string): void {
    const agent = this.#parts.agent(uid);
    if (agent === undefined || this.#nodes.has(uid)) return;
    const node = new NodeRecording(agent, this.#capture, this.#parts);
    this.#nodes.set(uid, node);
    if (this.#stoppedFor !== undefined) node.stop(this.#stoppedFor);
  }

  /** Record these pods from now on, everywhere; none pauses it. */
  record(capture: CaptureView, parts: readonly AgentPods[]): void {
    this.#capture = capture;
    for (const { agent } of parts) this.adopt(agent.uid);
    for (const [uid, node] of this.#nodes) {
      node.record(
        capture,
        parts.filter(({ agent }) => agent.uid === uid),
      );
    }
  }

  stop(reason: RecordingStop['reason']): void {
    this.#stoppedFor = reason;
    for (const node of this.#nodes.values()) node.stop(reason);
  }

  /** What is known of each node. The agents that are gone since are lost, with what was on their disks. */
  reports(): NodeReport[] {
    for (const [uid, node] of this.#nodes) {
      const known = this.#reports.get(uid);
      if (this.#parts.agent(uid) === undefined) {
        node.close();
        this.#nodes.delete(uid);
        if (node.state !== undefined || known !== undefined) {
          this.#reports.set(uid, lostReport(known ?? reportOf(this.#capture, node, this.#parts)));
        }
      } else if (node.state !== undefined || node.problem !== undefined) {
        this.#reports.set(uid, reportOf(this.#capture, node, this.#parts, known));
      }
    }
    for (const [uid, report] of this.#reports) {
      if (!report.isLost && !this.#nodes.has(uid)) this.#reports.set(uid, lostReport(report));
    }
    return [...this.#reports.values()].sort((a, b) => a.node.localeCompare(b.node));
  }

  /** It was ended because its requester may not capture any more: it does not begin again. */
  get isWithdrawn(): boolean {
    const nodes = [...this.#nodes.values()];
    return this.#stoppedFor === 'withdrawn' || nodes.some(({ state }) => state?.reason === 'withdrawn');
  }

  /** All agents refuse the order, for good: why. */
  refusal(): string | undefined {
    const nodes = [...this.#nodes.values()];
    if (nodes.length === 0 || !nodes.every(({ isRefused }) => isRefused)) return undefined;
    return nodes[0]?.problem?.message;
  }

  /**
   * Whether nothing more comes of a recording that was stopped.
   * @param sinceMs milliseconds since its end
   */
  isOver(sinceMs: number): boolean {
    const waiting = [...this.#nodes.values()].filter(({ isOver }) => !isOver);
    return waiting.length === 0 || sinceMs > END_WAIT_MS;
  }

  /** Follow it no longer: the agents go on. */
  close(): void {
    for (const node of this.#nodes.values()) node.close();
    this.#nodes.clear();
  }
}
