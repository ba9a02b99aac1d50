import type { KeyObject } from 'node:crypto';
import type { ClaimDestination } from '../../capture/install/claim-destination.ts';
import type { PodView } from '../../capture/kube/pod.ts';
import type { JsonObject } from '../../wire/guard.ts';
import type { CaptureView, Requester } from '../capture-object.ts';
import type { TargetProblems } from '../followed-pods.ts';
import type { Placement } from '../placement.ts';
import type { Condition, Verdict } from '../status.ts';
import { type Refusal, refused } from '../verdict.ts';
import type { AgentPool } from './agent-pool.ts';
import { CaptureRecording } from './capture-recording.ts';
import type { FindDestination } from './destinations.ts';
import { Fetches } from './fetches.ts';
import { CLAIM_READERS } from './limits.ts';
import { RecordTickets } from './record-tickets.ts';
import { recording, recordingEnded, recordingStatus } from './recording-verdict.ts';
import { lostReport, type NodeReport, reportsOf } from './report.ts';
import { NODE_DESTINATION } from './spec.ts';
import { Sweep } from './sweep.ts';

export interface RecordingsParts {
  /** Ed25519. */
  readonly key: KeyObject;
  readonly pool: AgentPool;
  readonly destination: FindDestination;
  readonly agents: () => readonly PodView[];
  readonly agent: (uid: string) => PodView | undefined;
  /** Whether an agent has the claim of a destination mounted. @param agent UID of its pod */
  readonly mounts: (agent: string, destination: ClaimDestination) => boolean;
  /** The Captures that there are, by UID: `namespace/name`. */
  readonly captureOf: (uid: string) => string | undefined;
  readonly refusalOf: (capture: CaptureView, requester: Requester) => Promise<string | undefined>;
  readonly enqueue: (key: string) => void;
  readonly log: (line: string) => void;
  readonly now: () => number;
  readonly signal: AbortSignal;
}

/** All recordings that run: what each is to do, and what its status is to say. */
export class Recordings {
  readonly #parts: RecordingsParts;
  readonly #tickets: RecordTickets;
  readonly #fetches: Fetches;
  readonly #sweep: Sweep;
  /** Those that are followed, by UID of the Capture. */
  readonly #running = new Map<string, CaptureRecording>();
  /** Agents that were found to record a Capture, by UID of the Capture. */
  readonly #found = new Map<string, Set<string>>();
  /** Claims to which Captures are recorded, by UID of the Capture. */
  readonly #claims = new Map<string, ClaimDestination>();

  constructor(parts: RecordingsParts) {
    this.#parts = parts;
    this.#tickets = new RecordTickets(parts.key, parts.now);
    this.#fetches = new Fetches({ ...parts, tickets: this.#tickets });
    this.#sweep = new Sweep({
      ...parts,
      tickets: this.#tickets,
      exists: (capture) => parts.captureOf(capture) !== undefined,
      found: (capture, agent) => this.#adopt(capture, agent),
      mounting: (destination) => this.#mounting(destination),
    });
  }

  /** Begin to look for recordings that nobody follows. All Captures must be known by now. */
  start(): void {
    this.#sweep.start();
  }

  /** Why a recording can have no place; undefined where it has one. */
  unplaced({ recording: spec, namespace }: CaptureView): string | undefined {
    const name = spec?.destination ?? NODE_DESTINATION;
    if (name === NODE_DESTINATION) return undefined;
    const destination = this.#parts.destination(name, namespace);
    if (typeof destination === 'string') return destination;
    if (!('claim' in destination) || this.#parts.agents().some(({ uid }) => this.#parts.mounts(uid, destination))) {
      return undefined;
    }
    return `No agent has the claim ${destination.claim} of the destination ${name} mounted. An administrator mounts it: ksnoop install --captures`;
  }

  /** Record the pods of an admitted Capture. @returns the verdict, or why every agent refuses it for good */
  async record(capture: CaptureView, placement: Placement, problems: TargetProblems): Promise<Verdict | Refusal> {
    const running = this.#of(capture);
    if (running.isWithdrawn) {
      return { reason: 'Forbidden', message: 'It was not given back to this recording.', final: true };
    }
    running.record(capture, placement.parts);
    const why = running.refusal();
    if (why !== undefined) return { reason: 'Invalid', message: why, final: true };
    const reports = running.reports();
    const fetch = await this.#answer(capture, reports);
    return { ...recording(capture, placement, reports, problems), fetch };
  }

  /** End a recording. @returns its verdict, which is final once its last files are where they belong */
  async end(capture: CaptureView, complete: Condition, endedAt: number): Promise<Verdict> {
    const running = capture.status.phase === 'Complete' ? undefined : this.#of(capture);
    running?.stop(complete.reason === 'PermissionWithdrawn' ? 'withdrawn' : 'stopped');
    const reports = running?.reports() ?? this.#remaining(capture);
    const isOver = running?.isOver(this.#parts.now() - endedAt) ?? true;
    if (isOver) this.forget(capture.uid);
    const fetch = await this.#answer(capture, reports);
    return { ...recordingEnded(capture, complete, reports, isOver), fetch };
  }

  /** A status has the first nodes only: whoever fetches is sent to all agents that have files. */
  #answer(capture: CaptureView, reports: readonly NodeReport[]): Promise<JsonObject | null> {
    const claim = this.#claimOf(capture);
    if (claim !== undefined) this.#claims.set(capture.uid, claim);
    const known = reports.filter(({ isLost }) => !isLost).map(({ agent }) => agent);
    const agents = new Set([...known, ...(this.#found.get(capture.uid) ?? [])]);
    if (claim !== undefined && capture.fetch !== undefined)
      for (const uid of this.#readers(claim, reports)) agents.add(uid);
    const isThere = (uid: string) => this.#parts.agent(uid) !== undefined;
    return this.#fetches.answer(capture, [...agents].filter(isThere).sort());
  }

  /** Agents that can read what others have left on a claim: those of the same nodes, whose volume it may be alone, and a few more. */
  #readers(destination: ClaimDestination, reports: readonly NodeReport[]): string[] {
    const nodes = new Set(reports.map(({ node }) => node));
    const mounted = this.#mounting(destination);
    const near = mounted.filter(({ nodeName }) => nodes.has(nodeName));
    const far = mounted.filter(({ nodeName }) => !nodes.has(nodeName)).slice(0, CLAIM_READERS);
    return [...near, ...far].map(({ uid }) => uid);
  }

  /** The ready agents that have a claim mounted. */
  #mounting(destination: ClaimDestination): PodView[] {
    return this.#parts.agents().filter(({ ready, uid }) => ready && this.#parts.mounts(uid, destination));
  }

  #claimOf({ recording: spec, namespace }: CaptureView): ClaimDestination | undefined {
    const name = spec?.destination ?? NODE_DESTINATION;
    if (name === NODE_DESTINATION) return undefined;
    const destination = this.#parts.destination(name, namespace);
    return typeof destination === 'object' && 'claim' in destination ? destination : undefined;
  }

  /** What is left of a recording that is over: agents may be gone since. */
  #remaining({ status }: CaptureView): NodeReport[] {
    const isGone = ({ agent }: NodeReport) => this.#parts.agent(agent) === undefined;
    return reportsOf(status).map((report) => (isGone(report) ? lostReport(report) : report));
  }

  /** Whether anything was recorded of a Capture. */
  hasBegun({ uid, status }: CaptureView): boolean {
    return this.#running.has(uid) || this.#found.has(uid) || reportsOf(status).length > 0;
  }

  /** Record nothing for now: the Capture is not admitted any more, which may change. */
  async pause(capture: CaptureView, refusal: Refusal): Promise<Verdict> {
    if (!this.hasBegun(capture)) return refused(refusal);
    const running = this.#of(capture);
    if (refusal.final) running.stop('withdrawn');
    else running.record(capture, []);
    return { ...refused(refusal), recording: recordingStatus(running.reports()), fetch: null };
  }

  /** Milliseconds until something of the answer to whoever fetches is due. */
  dueIn(capture: CaptureView): number {
    return this.#fetches.dueIn(capture);
  }

  /** Follow a recording no longer; the agents go on. */
  forget(uid: string): void {
    this.#running.get(uid)?.close();
    this.#running.delete(uid);
  }

  /** Its Capture is gone. */
  deleted(uid: string): void {
    this.forget(uid);
    this.#found.delete(uid);
    this.#fetches.forget(uid);
    this.#sweep.deleted(uid, this.#claims.get(uid));
    this.#claims.delete(uid);
  }

  close(): void {
    for (const uid of [...this.#running.keys()]) this.forget(uid);
    this.#parts.pool.close();
  }

  #of(capture: CaptureView): CaptureRecording {
    const known = this.#running.get(capture.uid);
    if (known !== undefined) return known;
    const { uid, namespace, name } = capture;
    const { pool, agent, destination, enqueue, now } = this.#parts;
    const to = capture.recording?.destination ?? NODE_DESTINATION;
    const made = new CaptureRecording(capture, {
      pool,
      agent,
      now,
      tickets: this.#tickets,
      destination: () => (to === NODE_DESTINATION ? undefined : destination(to, namespace)),
      changed: () => enqueue(`${namespace}/${name}`),
    });
    this.#running.set(uid, made);
    for (const found of this.#found.get(uid) ?? []) made.adopt(found);
    return made;
  }

  #adopt(capture: string, agent: string): void {
    const found = this.#found.get(capture) ?? new Set();
    this.#found.set(capture, found.add(agent));
    this.#running.get(capture)?.adopt(agent);
    this.#parts.pool.keep((uid) => this.#parts.agent(uid) !== undefined);
  }
}
