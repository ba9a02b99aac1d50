import type { InterfaceCounters } from '../../wire/agent-protocol.ts';
import type { KsnoopError } from '../../wire/errors.ts';
import type { NodeRef } from './node-ref.ts';
import type { InterfaceTally } from './tally.ts';

/** What became of one target, for the closing summary and the exit code. */
export interface TargetReport {
  readonly key: string;
  /** For people: `shop/web-1`, `netns/client`. */
  readonly label: string;
  /** When it joined a capture that already ran; undefined for one that was there from the start. */
  readonly joined: Date | undefined;
  state: 'waiting' | 'capturing' | 'gone' | 'failed';
  error: KsnoopError | undefined;
  /** When it went, last. */
  left: Date | undefined;
  /** The interfaces in the streams that carry its packets, as `interfaceKey` has them. */
  readonly interfaces: Set<string>;
  /** Counters of each of its interfaces, as the agent last reported them. */
  readonly counters: Map<string, InterfaceCounters>;
}

/** A stretch without packets because a stream was lost; `until` is undefined when it was not taken up again. */
export interface Gap extends NodeRef {
  /** The node for people: with its cluster when the capture has several. */
  readonly label: string;
  readonly from: Date;
  until: Date | undefined;
  /**
   * Where an analysis beside the agent was lost: since when its counts are incomplete, for it had not sent all that it had added up;
   * undefined where it had, and where packets come.
   */
  readonly incompleteSince?: Date | undefined;
  reason: string;
}

/** What a sentence on a gap ends with where counts from before it are incomplete; nothing otherwise. */
export function incompleteCounts({ incompleteSince }: Pick<Gap, 'incompleteSince'>): string {
  return incompleteSince === undefined ? '' : `, and counts since ${incompleteSince.toISOString()} are incomplete`;
}

/** What became of a capture's targets and streams. */
export class CaptureReport {
  readonly targets = new Map<string, TargetReport>();
  readonly gaps: Gap[] = [];

  /** @param joined when, if the capture already ran */
  add(key: string, label: string, joined?: Date): TargetReport {
    const target: TargetReport = {
      key,
      label,
      joined,
      state: 'waiting',
      error: undefined,
      left: undefined,
      interfaces: new Set(),
      counters: new Map(),
    };
    this.targets.set(key, target);
    return target;
  }

  failed(): TargetReport[] {
    return [...this.targets.values()].filter((target) => target.state === 'failed');
  }
}

/**
 * An interface of one stream: by its number there, or by its name for an agent older than 1.1.
 * @param stream the source's serial number
 */
export function interfaceKey(stream: number, interfaceOfIt: number | string): string {
  return `${stream}/${interfaceOfIt}`;
}

/** Whether an interface carries a target's packets. */
export function carries(target: TargetReport, { stream, index, name }: InterfaceTally): boolean {
  const { interfaces } = target;
  return interfaces.has(interfaceKey(stream, index)) || interfaces.has(interfaceKey(stream, name));
}

/** A target's counters over all its interfaces. */
export function countersOf({ counters }: TargetReport): InterfaceCounters {
  const sum = { captured: 0, received: 0, droppedByKernel: 0, droppedByKsnoop: 0 };
  for (const one of counters.values()) {
    sum.captured += one.captured;
    sum.received += one.received;
    sum.droppedByKernel += one.droppedByKernel;
    sum.droppedByKsnoop += one.droppedByKsnoop;
  }
  return sum;
}
