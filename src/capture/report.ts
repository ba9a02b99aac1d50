import type { InterfaceCounters } from '../wire/agent-protocol.ts';
import type { KsnoopError } from '../wire/errors.ts';

/** What became of one target, for the closing summary and the exit code. */
export interface TargetReport {
  readonly key: string;
  /** As people say it: `shop/web-1`, `netns/client`. */
  readonly label: string;
  state: 'waiting' | 'capturing' | 'gone' | 'failed';
  error: KsnoopError | undefined;
  /** Names of the interfaces in the stream that carry its packets. */
  readonly interfaces: Set<string>;
  /** Counters of the sessions that have ended. */
  readonly past: Counters;
  /** Counters of the session under way, as the agent last said them. */
  current: InterfaceCounters;
}

/** A stretch without packets because a stream was lost; `until` is undefined when it was not taken up again. */
export interface Gap {
  readonly node: string;
  readonly from: Date;
  until: Date | undefined;
  readonly reason: string;
}

interface Counters {
  captured: number;
  received: number;
  droppedByKernel: number;
  droppedByKsnoop: number;
}

const NONE: InterfaceCounters = { captured: 0, received: 0, droppedByKernel: 0, droppedByKsnoop: 0 };

/** Everything a capture has to answer for when it ends. */
export class CaptureReport {
  readonly targets = new Map<string, TargetReport>();
  readonly gaps: Gap[] = [];

  add(key: string, label: string): TargetReport {
    const target: TargetReport = {
      key,
      label,
      state: 'waiting',
      error: undefined,
      interfaces: new Set(),
      past: { ...NONE },
      current: NONE,
    };
    this.targets.set(key, target);
    return target;
  }

  /** A session has ended: what it counted joins the past. */
  closeSession(keys: Iterable<string>): void {
    for (const key of keys) {
      const target = this.targets.get(key);
      if (target === undefined) continue;
      const total = countersOf(target);
      Object.assign(target.past, total);
      target.current = NONE;
    }
  }

  failed(): TargetReport[] {
    return [...this.targets.values()].filter((target) => target.state === 'failed');
  }
}

/** A target's counters over all its sessions. */
export function countersOf(target: TargetReport): InterfaceCounters {
  const { past, current } = target;
  return {
    captured: past.captured + current.captured,
    received: past.received + current.received,
    droppedByKernel: past.droppedByKernel + current.droppedByKernel,
    droppedByKsnoop: past.droppedByKsnoop + current.droppedByKsnoop,
  };
}
