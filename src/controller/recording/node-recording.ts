import type { ClaimDestination } from '../../capture/install/claim-destination.ts';
import type { PodView } from '../../capture/kube/pod.ts';
import type { AgentRecordings, RecordingRequest } from '../../capture/tenant/agent-recordings.ts';
import { type ErrorCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import type { RecordingOrder, RecordingState, RecordingStop } from '../../wire/recording.ts';
import type { CaptureView } from '../capture-object.ts';
import { type AgentPods, divided } from '../tickets.ts';
import type { AgentPool } from './agent-pool.ts';
import type { Destination } from './destinations.ts';
import { KEEP_RECORDED_MS, POLL_FAILING_MS, POLL_MS, POLL_SOON_MS, UPLOAD_AGAIN_MS } from './limits.ts';
import type { RecordTickets } from './record-tickets.ts';
import { sendingOf, sentOf } from './uploads.ts';

/** Refusals that the same order will have again. */
const FINAL_CODES: ReadonlySet<ErrorCode> = new Set(['BAD_TRIGGER', 'BAD_FILTER', 'INVALID_MESSAGE']);

export interface NodeRecordingParts {
  readonly pool: AgentPool;
  readonly tickets: RecordTickets;
  /** Where files go, or why they cannot; undefined where they stay on the node. */
  readonly destination: () => Destination | ClaimDestination | string | undefined;
  /** Called after every answer. */
  readonly changed: () => void;
  readonly now: () => number;
}

/** What is wanted of an agent. Nothing yet: only its state is read. */
type Wanted =
  | { readonly kind: 'state' }
  | { readonly kind: 'record'; readonly parts: readonly AgentPods[] }
  | { readonly kind: 'stop'; readonly reason: RecordingStop['reason'] };

/**
 * The recording of one Capture by one agent: what is wanted is repeated at every look, so that nothing depends on what was said before.
 */
export class NodeRecording {
  readonly agent: PodView;
  readonly #parts: NodeRecordingParts;
  readonly #abort = new AbortController();
  #capture: CaptureView;
  #wanted: Wanted = { kind: 'state' };
  #state: RecordingState | undefined;
  #problem: KsnoopError | undefined;
  #failingSince: number | undefined;
  /** The agent knows no such recording: it never began, or its files were removed. */
  #unknown = false;
  /** When a file was last asked to be sent, by its name. */
  readonly #sentAt = new Map<string, number>();
  #poke = Promise.withResolvers<void>();

  constructor(agent: PodView, capture: CaptureView, parts: NodeRecordingParts) {
    this.agent = agent;
    this.#capture = capture;
    this.#parts = parts;
    void this.#run();
  }

  /** What the agent answered last; undefined before it has. */
  get state(): RecordingState | undefined {
    return this.#state;
  }

  /** Why the agent does not do what is wanted. */
  get problem(): KsnoopError | undefined {
    return this.#problem;
  }

  /** Since when it has not answered, milliseconds since 1970; undefined while it does. */
  get failingSince(): number | undefined {
    return this.#failingSince;
  }

  /** The order itself is refused: it will never be taken. */
  get isRefused(): boolean {
    return this.#problem !== undefined && FINAL_CODES.has(this.#problem.code) && this.#state === undefined;
  }

  /** Nothing will change any more: it has ended, and its files are where they belong. */
  get isOver(): boolean {
    if (this.#unknown && this.#wanted.kind !== 'record') return true;
    const state = this.#state;
    if (state?.state !== 'finished' && state?.state !== 'failed') return false;
    if (this.#parts.destination() === undefined) return true;
    return sentOf(this.#capture, state).every(({ upload }) => upload?.state === 'done');
  }

  /** Record these pods and no others; none pauses it. */
  record(capture: CaptureView, parts: readonly AgentPods[]): void {
    this.#capture = capture;
    if (this.#wanted.kind === 'stop') return;
    const before = this.#wanted.kind === 'record' ? uidsOf(this.#wanted.parts) : undefined;
    this.#wanted = { kind: 'record', parts };
    if (before !== uidsOf(parts)) this.#wake();
  }

  /** End it, for good. */
  stop(reason: RecordingStop['reason']): void {
    if (this.#wanted.kind === 'stop') return;
    this.#wanted = { kind: 'stop', reason };
    this.#wake();
  }

  /** Follow it no longer: the agent goes on. */
  close(): void {
    this.#abort.abort();
    this.#wake();
  }

  #wake(): void {
    this.#poke.resolve();
  }

  async #run(): Promise<void> {
    const { signal } = this.#abort;
    while (!signal.aborted) {
      this.#poke = Promise.withResolvers();
      try {
        await this.#parts.pool.ask(this.agent, (recordings) => this.#look(recordings));
        this.#problem = undefined;
        this.#failingSince = undefined;
      } catch (thrown) {
        if (signal.aborted) return;
        this.#problem = problemOf(thrown);
        this.#failingSince ??= this.#parts.now();
      }
      this.#parts.changed();
      const timer = setTimeout(() => this.#wake(), this.#wait());
      await this.#poke.promise;
      clearTimeout(timer);
    }
  }

  #wait(): number {
    if (this.#problem !== undefined) return POLL_FAILING_MS;
    if (this.isOver) return POLL_MS;
    const isMoving =
      this.#state === undefined ||
      this.#state.state !== 'recording' ||
      this.#state.pieces.some(({ upload }) => upload?.state === 'running') ||
      this.#state.pods.some(({ capturing }) => !capturing);
    return isMoving ? POLL_SOON_MS : POLL_MS;
  }

  async #look(recordings: AgentRecordings): Promise<void> {
    const wanted = this.#wanted;
    if (this.isOver && wanted.kind !== 'record') return;
    try {
      this.#state = await this.#ask(recordings, wanted);
      this.#unknown = false;
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError) || thrown.code !== 'NO_SUCH_RECORDING') throw thrown;
      this.#unknown = true;
      return;
    }
    await this.#send(recordings, this.#state);
  }

  #ask(recordings: AgentRecordings, wanted: Wanted): Promise<RecordingState> {
    if (wanted.kind === 'state') return recordings.state(this.#request([]));
    if (wanted.kind === 'stop') return recordings.stop({ reason: wanted.reason }, this.#request([]));
    const [first = this.#none(), ...more] = divided(wanted.parts);
    const order = orderOf(this.#capture, wanted.parts);
    const tickets = more.map((part) => this.#parts.tickets.record(this.#capture, part));
    return recordings.put({ ...order, ...(tickets.length > 0 && { tickets }) }, this.#request([first]));
  }

  /** Have the next file sent, one at a time. */
  async #send(recordings: AgentRecordings, state: RecordingState): Promise<void> {
    const destination = this.#parts.destination();
    if (destination === undefined) return;
    const waiting = sentOf(this.#capture, state).filter(({ upload }) => upload?.state !== 'done');
    if (waiting.some(({ upload }) => upload?.state === 'running')) return;
    const now = this.#parts.now();
    const piece = waiting.find(({ name }) => now >= (this.#sentAt.get(name) ?? 0) + UPLOAD_AGAIN_MS);
    if (piece === undefined) return;
    if (typeof destination === 'string') throw new KsnoopError('CANNOT_WRITE', destination);
    this.#sentAt.set(piece.name, now);
    const upload = sendingOf(destination, this.#capture, { agent: this.agent, piece, now });
    this.#state = await recordings.upload(piece.name, upload, this.#request([]));
  }

  #request([part = this.#none()]: readonly AgentPods[]): RecordingRequest {
    const ticket = () => this.#parts.tickets.record(this.#capture, part);
    return { capture: this.#capture.uid, ticket, signal: this.#abort.signal };
  }

  #none(): AgentPods {
    return { agent: this.agent, pods: [], hostNetwork: false };
  }
}

function orderOf(capture: CaptureView, parts: readonly AgentPods[]): RecordingOrder {
  const { namespace, name, filter, snaplen, ends, recording } = capture;
  const pods = parts.flatMap((part) =>
    part.pods.map((pod) => ({
      namespace: pod.namespace,
      name: pod.name,
      uid: pod.uid,
      hostNetwork: part.hostNetwork,
    })),
  );
  return {
    namespace,
    name,
    pods,
    filter,
    snaplen,
    endsAt: ends,
    maxBytes: recording?.maxBytes ?? 0,
    ...(recording?.ring !== undefined && { ring: recording.ring }),
    ...(recording?.trigger !== undefined && { trigger: recording.trigger }),
    keepMs: KEEP_RECORDED_MS,
  };
}

function uidsOf(parts: readonly AgentPods[]): string {
  return parts
    .flatMap(({ pods }) => pods.map(({ uid }) => uid))
    .sort()
    .join(' ');
}

function problemOf(thrown: unknown): KsnoopError {
  if (thrown instanceof KsnoopError) return thrown;
  return new KsnoopError('AGENT_ERROR', `The agent cannot be asked: ${messageOf(thrown)}.`, { cause: thrown });
}
