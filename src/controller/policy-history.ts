import { setTimeout as sleep } from 'node:timers/promises';
import { KsnoopError, messageOf } from '../wire/errors.ts';
import type { JsonObject } from '../wire/guard.ts';
import { RECORD_RETRY_MS } from './limits.ts';
import { type PolicyRecord, type PolicyRecords, policyRecord } from './policy-record.ts';

/** Knows since when the policy is as it is, also after a change that no controller has seen. */
export class PolicyHistory {
  readonly #records: PolicyRecords;
  readonly #signal: AbortSignal;
  readonly #log: (line: string) => void;
  #known: PolicyRecord | undefined;
  #saving = false;

  constructor(records: PolicyRecords, signal: AbortSignal, log: (line: string) => void) {
    this.#records = records;
    this.#signal = signal;
    this.#log = log;
  }

  /**
   * Read what the last controller has recorded, however long the API server takes.
   * @throws KsnoopError FORBIDDEN
   */
  async load(): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        this.#known = await this.#records.read(this.#signal);
        return;
      } catch (thrown) {
        if (this.#signal.aborted) return;
        if (thrown instanceof KsnoopError && thrown.code === 'FORBIDDEN') throw thrown;
        this.#log(`the record of the policy cannot be read: ${messageOf(thrown)}`);
        await this.#pause();
      }
    }
  }

  /** @returns milliseconds since 1970: Captures made before are not protected by the policy */
  since(policy: JsonObject, binding: JsonObject): number {
    const record = policyRecord(policy, binding, this.#known, Date.now());
    if (record !== this.#known) {
      this.#known = record;
      void this.#save();
    }
    return record.since;
  }

  /** Without a record the next controller takes its own beginning for the time of the change: that refuses more, not less. */
  async #save(): Promise<void> {
    if (this.#saving) return;
    this.#saving = true;
    for (let saved: PolicyRecord | undefined; saved !== this.#known && !this.#signal.aborted; ) {
      const record = this.#known;
      if (record === undefined) break;
      try {
        await this.#records.save(record, this.#signal);
        saved = record;
      } catch (thrown) {
        if (this.#signal.aborted) break;
        this.#log(`the record of the policy cannot be saved: ${messageOf(thrown)}`);
        await this.#pause();
      }
    }
    this.#saving = false;
  }

  async #pause(): Promise<void> {
    await sleep(RECORD_RETRY_MS, undefined, { signal: this.#signal }).catch(() => {});
  }
}
