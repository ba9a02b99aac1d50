import type { Clock } from '../analyze/engine/clock.ts';
import type { FlowInfo } from '../analyze/flow/flow-facts.ts';
import type { Hosts } from '../analyze/identity/hosts.ts';
import { Names } from '../analyze/identity/names.ts';
import type { AnalysisEvent } from '../analyze/record/event.ts';
import { maskEvent } from '../analyze/record/mask-event.ts';
import { Recorder } from '../analyze/record/record.ts';
import { compilePart, type Test } from '../analyze/where/where.ts';
import { KsnoopError } from '../wire/errors.ts';

/** Names come from the cluster's objects, numbers of flows and the sample from the client; times are compared there. */
const ELSEWHERE = /^(?:(?:src|dst)(?:\.(?!ip$|port$).*)?|flow|sameAs|sample|time|interface)$/;

/** So many that do not match come to the client all the same: it shows what records have where none matches. */
const SHOWN = 64;

/** Leaves out events that certainly do not match `--where`, by what a node knows of them. The client decides on the rest. */
export class NodeFilter {
  /** Events left out. */
  leftOut = 0;
  readonly #test: Test;
  readonly #source: { readonly clock: Clock; readonly hosts: Hosts };
  readonly #showSecrets: boolean;
  #recorder: Recorder | undefined;
  #shown = 0;

  /**
   * @param where the expression of the user
   * @returns undefined where nothing of it can be decided on a node, such as an expression that only a newer client knows
   */
  static of(where: string, source: { clock: Clock; hosts: Hosts }, showSecrets: boolean): NodeFilter | undefined {
    try {
      const test = compilePart(where, (path) => !ELSEWHERE.test(path));
      return test === undefined ? undefined : new NodeFilter(test, source, showSecrets);
    } catch (thrown) {
      if (thrown instanceof KsnoopError) return undefined;
      throw thrown;
    }
  }

  private constructor(test: Test, source: { clock: Clock; hosts: Hosts }, showSecrets: boolean) {
    this.#test = test;
    this.#source = source;
    this.#showSecrets = showSecrets;
  }

  /** Whether an event may match, or is needed for more than its record: answers of DNS name addresses. */
  wants(event: AnalysisEvent, flow: FlowInfo): boolean {
    if (event.protocol === 'dns' && event.kind === 'exchange') return true;
    const { clock, hosts } = this.#source;
    this.#recorder ??= new Recorder(
      { hosts, names: new Names(hosts), interfaceName: () => undefined },
      clock.absolute(0),
    );
    // As the client's session has it.
    if (this.#test(this.#recorder.event(this.#showSecrets ? event : maskEvent(event), flow))) return true;
    this.#shown += 1;
    if (this.#shown <= SHOWN) return true;
    this.leftOut += 1;
    return false;
  }
}
