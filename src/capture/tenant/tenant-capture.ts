import { createClientKey } from '../../ticket/seal.ts';
import type { PodAgentTarget } from '../../wire/agent-target.ts';
import { deadlineSignal } from '../../wire/deadline.ts';
import { type ErrorCode, KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, optionalString } from '../../wire/guard.ts';
import type { Compression } from '../../wire/session-frame.ts';
import { parseSealedTickets, type SealedTicket, type TicketPod } from '../../wire/ticket.ts';
import { aborted } from '../aborted.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';
import { superviseWatch, type WatchHealth } from '../kube/supervised-watch.ts';
import { ADMISSION_MS } from '../limits.ts';
import type { NodeAccess, NodePlan } from '../streams/node-stream.ts';
import type { TargetChange } from '../streams/target-change.ts';
import {
  CAPTURE_API,
  captureRightHint,
  conditionOf,
  createCapture,
  endCapture,
  type MadeCapture,
  phaseOf,
  type WantedCapture,
} from './capture-object.ts';
import { TicketStore } from './ticket-store.ts';

export interface TenantOptions extends Omit<WantedCapture, 'clientKey'> {
  /** Whether pods that start later join. */
  readonly follow: boolean;
  readonly resumeWindowMs: number;
  readonly compress: Compression;
}

/** How a Capture ended: by itself, or because of an error. */
interface TenantEnd {
  readonly message: string;
  readonly error?: KsnoopError;
}

interface HeldPod {
  readonly pod: TicketPod;
  readonly node: string;
  readonly hostNetwork: boolean;
}

/** A capture of a tenant: a Capture object, and the pods that its tickets name. */
export class TenantCapture {
  readonly #kube: Kube;
  readonly #options: TenantOptions;
  readonly #made: MadeCapture;
  readonly #tickets: TicketStore;
  readonly #nodes = new Map<string, NodeAccess>();
  readonly #stop = new AbortController();
  /** Pods with a ticket, by UID. */
  #pods: ReadonlyMap<string, HeldPod> = new Map();
  /** Those that were planned, or emitted as targets. */
  readonly #announced = new Set<string>();
  #emit: ((change: TargetChange) => void) | undefined;
  #status: JsonObject = {};
  #changed = Promise.withResolvers<void>();
  /** Why it has ended or can never begin. */
  #end: TenantEnd | undefined;

  /**
   * Make a Capture and wait until it is admitted.
   * @throws KsnoopError NO_CAPTURES, CAPTURE_REFUSED, CONTROLLER_SILENT, NO_PODS, and as the API server has it; then no Capture is left
   */
  static async begin(kube: Kube, options: TenantOptions, signal: AbortSignal): Promise<TenantCapture> {
    const key = createClientKey();
    const made = await createCapture(kube, { ...options, clientKey: key.public }, signal);
    const tickets = new TicketStore({ kube, key, ...options });
    const capture = new TenantCapture(kube, options, made, tickets);
    try {
      await capture.#admitted(signal);
      return capture;
    } catch (thrown) {
      await capture.close();
      throw thrown;
    }
  }

  private constructor(kube: Kube, options: TenantOptions, made: MadeCapture, tickets: TicketStore) {
    this.#kube = kube;
    this.#options = options;
    this.#made = made;
    this.#tickets = tickets;
    this.#watch();
  }

  /** `namespace/name` of the object. */
  get name(): string {
    return `${this.#made.namespace}/${this.#made.name}`;
  }

  /** The pods that have a ticket now. */
  get labels(): ReadonlyMap<string, string> {
    return new Map([...this.#pods].map(([uid, { pod }]) => [uid, labelOf(pod)]));
  }

  /** The nodes of the pods that have a ticket now. */
  plans(): NodePlan[] {
    const plans = new Map<string, PodAgentTarget[]>();
    for (const held of this.#pods.values()) {
      plans.set(held.node, [...(plans.get(held.node) ?? []), this.#target(held)]);
      this.#announced.add(held.pod.uid);
    }
    return [...plans].map(([node, targets]) => ({ ...this.#access(node), targets }));
  }

  /** Emit the pods that get a ticket or lose it from now on, and the end of the Capture. @returns when the signal aborts */
  async follow(emit: (change: TargetChange) => void, signal: AbortSignal): Promise<void> {
    this.#emit = emit;
    this.#emitChanges();
    if (this.#end !== undefined) this.#emitEnd(this.#end);
    await aborted(signal);
    this.#emit = undefined;
  }

  /** End the Capture. @returns why it could not be ended; undefined when it was */
  async close(): Promise<string | undefined> {
    this.#emit = undefined;
    this.#stop.abort();
    return endCapture(this.#kube, this.#made);
  }

  #watch(): void {
    const { namespace, name, uid } = this.#made;
    const path = resourcePath(CAPTURE_API, namespace, 'captures');
    const health: WatchHealth = {
      interrupted: (_, error) => this.#emit?.({ type: 'note', message: `tickets are not renewed: ${error.message}` }),
      resumed: () => {},
      refused: (_, error) => this.#finish({ message: error.message, error }),
    };
    void superviseWatch({
      kube: this.#kube,
      name: `Capture ${this.name}`,
      collection: { path, fieldSelector: `metadata.name=${name}` },
      health,
      signal: this.#stop.signal,
      onEvent: (event) => {
        if (!('object' in event) || optionalString(objectAt(event.object, 'metadata'), 'uid') !== uid) return;
        if (event.type === 'deleted') this.#finish(ended('it was deleted.'));
        else this.#take(objectAt(event.object, 'status'));
      },
    });
  }

  #take(status: JsonObject): void {
    if (this.#end !== undefined || this.#stop.signal.aborted) return;
    this.#status = status;
    let tickets: SealedTicket[];
    try {
      tickets = parseSealedTickets(status.tickets);
      this.#tickets.update(tickets);
    } catch (thrown) {
      if (!(thrown instanceof KsnoopError)) throw thrown;
      this.#finish({ message: thrown.message, error: thrown });
      return;
    }
    this.#hold(tickets);
    const end = endOf(status, this.#made.namespace);
    if (end !== undefined) this.#finish(end);
    this.#wake();
  }

  /** Tickets reach the sessions before the targets that need them. */
  #hold(tickets: readonly SealedTicket[]): void {
    const now = new Map<string, HeldPod>();
    for (const { node, pods, hostNetwork } of tickets) {
      for (const pod of pods) now.set(pod.uid, { pod, node, hostNetwork });
    }
    this.#pods = now;
    this.#emitChanges();
  }

  #emitChanges(): void {
    const emit = this.#emit;
    if (emit === undefined) return;
    for (const uid of this.#announced) {
      if (this.#pods.has(uid)) continue;
      this.#announced.delete(uid);
      emit({ type: 'gone', key: uid });
    }
    if (!this.#options.follow) return;
    for (const [uid, held] of this.#pods) {
      if (this.#announced.has(uid)) continue;
      this.#announced.add(uid);
      const target = this.#target(held);
      emit({ type: 'added', node: this.#access(held.node), target, label: labelOf(held.pod), names: [] });
    }
  }

  #finish(end: TenantEnd): void {
    if (this.#end !== undefined || this.#stop.signal.aborted) return;
    this.#end = end;
    if (this.#emit !== undefined) this.#emitEnd(end);
    this.#wake();
  }

  #emitEnd({ message, error }: TenantEnd): void {
    if (error !== undefined) this.#emit?.({ type: 'refused', label: this.name, error });
    this.#emit?.({ type: 'ended', message });
  }

  /** Until there are tickets, or it is certain that there will be none. */
  async #admitted(signal: AbortSignal): Promise<void> {
    const deadline = deadlineSignal(ADMISSION_MS);
    const over = aborted(AbortSignal.any([signal, deadline]));
    for (;;) {
      signal.throwIfAborted();
      if (this.#pods.size > 0) return;
      if (this.#end !== undefined) throw this.#end.error ?? new KsnoopError('CAPTURE_REFUSED', this.#end.message);
      const isAdmitted = conditionOf(this.#status, 'Admitted').status === 'True';
      if (isAdmitted && conditionOf(this.#status, 'Capturing').reason === 'NoPods') {
        if (this.#options.follow && conditionOf(this.#status, 'Degraded').status !== 'True') return;
        throw this.#withoutPods();
      }
      if (deadline.aborted) throw silent(this.name);
      await Promise.race([this.#changed.promise, over]);
    }
  }

  #withoutPods(): KsnoopError {
    const { reason, message } = conditionOf(this.#status, 'Degraded');
    const code: ErrorCode = reason === 'TargetsNotFound' ? 'NO_SUCH_TARGET' : 'NO_PODS';
    const words = message || 'The targets have no pods.';
    return new KsnoopError(code, `Nothing can be captured: ${words}`);
  }

  #wake(): void {
    this.#changed.resolve();
    this.#changed = Promise.withResolvers();
  }

  #access(node: string): NodeAccess {
    const known = this.#nodes.get(node);
    if (known !== undefined) return known;
    const access: NodeAccess = {
      cluster: this.#kube.context,
      node,
      open: this.#tickets.on(node),
      refresh: async (targets) => targets.filter(({ key }) => this.#pods.get(key)?.node === node),
    };
    this.#nodes.set(node, access);
    return access;
  }

  /** The agent finds a pod by its UID alone. */
  #target({ pod, hostNetwork }: HeldPod): PodAgentTarget {
    return {
      key: pod.uid,
      kind: 'pod',
      namespace: pod.namespace,
      pod: pod.name,
      uid: pod.uid,
      containers: [],
      hostNetwork,
      ...(this.#options.follow && { wait: true }),
    };
  }
}

function labelOf({ namespace, name }: TicketPod): string {
  return `${namespace}/${name}`;
}

/** Why a Capture ends with this status; undefined while it goes on. */
function endOf(status: JsonObject, namespace: string): TenantEnd | undefined {
  const complete = conditionOf(status, 'Complete');
  if (phaseOf(status) === 'Complete') return ended(complete.message);
  const { status: admitted, reason, message } = conditionOf(status, 'Admitted');
  if (admitted !== 'False') return undefined;
  const hint = reason === 'Forbidden' ? captureRightHint(namespace) : undefined;
  const error = new KsnoopError('CAPTURE_REFUSED', `The controller does not admit the capture: ${message}`, { hint });
  return { message: error.message, error };
}

/** An end in order. */
function ended(why: string): TenantEnd {
  return { message: `The Capture has ended: ${why}` };
}

function silent(name: string): KsnoopError {
  const seconds = ADMISSION_MS / 1000;
  return new KsnoopError('CONTROLLER_SILENT', `The controller has not looked at Capture ${name} within ${seconds} s.`, {
    hint: 'An administrator sees whether it runs: kubectl -n ksnoop get deployment ksnoop-controller',
  });
}
