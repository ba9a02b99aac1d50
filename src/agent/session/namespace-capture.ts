import { closeSync } from 'node:fs';
import type { AgentTarget } from '../../wire/agent-target.ts';
import { FIRST_PACKETS_CAPTURES, RING_MAXIMUM_KIB, RING_MINIMUM_KIB, RINGS_KIB } from '../limits.ts';
import type { OpenNetns } from '../netns/namespace.ts';
import type { InterfaceCapture } from '../tcpdump/interface-capture.ts';

/** Targets with the same network namespace and the same filter share one capture. */
export class NamespaceCapture {
  readonly namespace: OpenNetns;
  /** The targets' own filter, before the request's is joined to it. */
  readonly filter: string | undefined;
  readonly targets = new Map<string, AgentTarget>();
  /** Set while it captures. */
  active: InterfaceCapture | undefined;
  /** Set from when its tcpdump is being started. */
  starting: InterfaceCapture | undefined;
  /** Resolves when it captures, or when it is certain that it never will. */
  begun: Promise<void> = Promise.resolve();
  /** Kernel memory of its ring, KiB. */
  ringKib = 0;
  /** Its first target was waited for until its sandbox was there. */
  waitedFor = false;
  /** Its namespace is gone or its last target was removed: it is ending. */
  ending = false;
  /** Set until its state is taken for the first time. */
  stateTimer: NodeJS.Timeout | undefined;
  /** Targets that were removed; `target-gone` is sent for them when it has ended. */
  readonly removed: string[] = [];

  constructor(namespace: OpenNetns, target: AgentTarget) {
    this.namespace = namespace;
    this.filter = target.filter;
    this.targets.set(target.key, target);
  }

  /** Whether a target that was found in a namespace can be captured with those that are here. */
  takes(namespace: OpenNetns, target: AgentTarget): boolean {
    return !this.ending && this.namespace.inode === namespace.inode && this.filter === target.filter;
  }

  /** if_description of its interface. */
  get description(): string {
    const { description } = this.namespace;
    const keys = [...this.targets.keys()];
    return keys.length > 1 ? `${description} shared-by=${keys.join(',')}` : description;
  }

  close(): void {
    clearTimeout(this.stateTimer);
    closeSync(this.namespace.fd);
  }
}

/**
 * The kernel's ring for one more capture of a session, KiB: a fair part of RINGS_KIB. A session that follows its
 * targets keeps half of it for those that join, and each of them takes a part of what is left.
 */
export function ringFor(captures: ReadonlySet<NamespaceCapture>, follow: boolean, joining: boolean): number {
  let used = 0;
  for (const { ringKib } of captures) used += ringKib;
  const fair = joining ? (RINGS_KIB - used) / 4 : RINGS_KIB / (follow ? 2 : 1) / captures.size;
  return Math.max(RING_MINIMUM_KIB, Math.min(RING_MAXIMUM_KIB, Math.floor(fair)));
}

/** Whether a session has just begun with few targets: then their first packets are brought ahead of their rings. */
export function isFirstLook(captures: ReadonlySet<NamespaceCapture>, joining: boolean): boolean {
  return !joining && captures.size <= FIRST_PACKETS_CAPTURES;
}
