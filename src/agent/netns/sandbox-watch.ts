import type { PodAgentTarget } from '../../wire/agent-target.ts';
import { type ErrorCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { SANDBOX_LATER_LOOK_MS, SANDBOX_LOOK_MS, SANDBOX_LOOKS, SANDBOX_SOON_MS } from '../limits.ts';
import { type OpenNetns, openNetns } from './namespace.ts';
import type { PodProcess, Proc } from './proc.ts';

/** Why a pod that is waited for has no network namespace to capture yet. */
const NOT_YET = new Set<ErrorCode>(['POD_HAS_NO_PROCESS', 'NO_INTERFACE']);

/** @returns whether an error means that a pod's sandbox does not exist yet, and not that it cannot be entered */
export function isNotYet(thrown: unknown): thrown is KsnoopError {
  return thrown instanceof KsnoopError && NOT_YET.has(thrown.code);
}

export interface SandboxHandlers {
  /** The pod's network namespace exists and is held; it is no longer waited for. */
  found(target: PodAgentTarget, namespace: OpenNetns): void;
  /** It cannot be used; it is no longer waited for. */
  failed(target: PodAgentTarget, error: KsnoopError): void;
}

interface Known {
  looks: number;
  process: PodProcess | undefined;
}

/**
 * Waits for pods' sandboxes. The runtime sets the network up and then starts the sandbox's first process in it, well
 * before the containers; without mounts of the host's nothing announces it, so the node's processes are polled: new
 * ones only, and only while a pod is waited for.
 */
export class SandboxWatch {
  readonly #proc: Proc;
  readonly #handlers: SandboxHandlers;
  readonly #waiting = new Map<string, PodAgentTarget>();
  #known = new Map<number, Known>();
  #timer: NodeJS.Timeout | undefined;
  #soonUntil = 0;

  constructor(proc: Proc, handlers: SandboxHandlers) {
    this.#proc = proc;
    this.#handlers = handlers;
  }

  get size(): number {
    return this.#waiting.size;
  }

  has(key: string): boolean {
    return this.#waiting.has(key);
  }

  /** Wait for a pod; one that is waited for already is from now on known as this. */
  wait(target: PodAgentTarget): void {
    this.#waiting.set(target.key, target);
    const now = performance.now();
    const slow = now >= this.#soonUntil;
    this.#soonUntil = now + SANDBOX_SOON_MS;
    if (slow || this.#timer === undefined) this.#schedule();
  }

  /** @returns whether it was waited for */
  forget(key: string): boolean {
    const waited = this.#waiting.delete(key);
    if (this.#waiting.size === 0) this.close();
    return waited;
  }

  close(): void {
    this.#waiting.clear();
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#known.clear();
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    const soon = performance.now() < this.#soonUntil;
    this.#timer = setTimeout(() => this.#look(), soon ? SANDBOX_LOOK_MS : SANDBOX_LATER_LOOK_MS);
  }

  #look(): void {
    const processes = this.#processes();
    for (const target of [...this.#waiting.values()]) {
      try {
        const namespace = openNetns(target, this.#proc, processes);
        this.#waiting.delete(target.key);
        this.#handlers.found(target, namespace);
      } catch (thrown) {
        if (isNotYet(thrown)) continue;
        this.#waiting.delete(target.key);
        const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('CAPTURE_FAILED', messageOf(thrown));
        this.#handlers.failed(target, error);
      }
    }
    if (this.#waiting.size === 0) this.close();
    else this.#schedule();
  }

  /** The processes of pods that may be waited for; what is known of others is not read again. */
  #processes(): PodProcess[] {
    const known = new Map<number, Known>();
    const containers = new Set<string>();
    const pods = new Set<string>();
    for (const { uid, containers: own } of this.#waiting.values()) {
      pods.add(uid);
      for (const { id } of own) containers.add(id);
    }
    const processes: PodProcess[] = [];
    for (const pid of this.#proc.pids()) {
      const state = this.#known.get(pid) ?? { looks: 0, process: undefined };
      known.set(pid, state);
      const matters = ({ pod, container }: PodProcess) => pods.has(pod) || containers.has(container);
      if (state.looks < SANDBOX_LOOKS || (state.process !== undefined && matters(state.process))) {
        state.looks += 1;
        state.process = this.#proc.podProcess(pid);
        if (state.process !== undefined && matters(state.process)) processes.push(state.process);
      }
    }
    this.#known = known;
    return processes;
  }
}
