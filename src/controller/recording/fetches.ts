import { isDeepStrictEqual } from 'node:util';
import type { PodView } from '../../capture/kube/pod.ts';
import { seal } from '../../ticket/seal.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { type JsonObject, objectAt, optionalString } from '../../wire/guard.ts';
import type { CaptureView, Requester } from '../capture-object.ts';
import { TICKET_RENEW_MS } from '../limits.ts';
import { timestamp } from '../status.ts';
import type { FindDestination } from './destinations.ts';
import { FETCH_MS, FETCH_NODES, FETCH_URL_S } from './limits.ts';
import { presign } from './presign.ts';
import type { RecordTickets } from './record-tickets.ts';
import { type FetchSpec, NODE_DESTINATION } from './spec.ts';
import { objectKey } from './uploads.ts';

export interface FetchParts {
  readonly tickets: RecordTickets;
  readonly agent: (uid: string) => PodView | undefined;
  readonly destination: FindDestination;
  /** Why somebody may not have the packets of the Capture now; undefined when they may. */
  readonly refusalOf: (capture: CaptureView, requester: Requester) => Promise<string | undefined>;
  readonly now: () => number;
}

interface Answer {
  readonly at: number;
  readonly fetch: FetchSpec;
  readonly agents: readonly string[];
  readonly status: JsonObject;
}

/** Answers whoever asks for the files of recordings (spec.fetch): with tickets and URLs that only the holder of the key can read. */
export class Fetches {
  readonly #parts: FetchParts;
  /** The last answer to each Capture, by UID. */
  readonly #answers = new Map<string, Answer>();

  constructor(parts: FetchParts) {
    this.#parts = parts;
  }

  /**
   * The answer that the status is to have: null for none.
   * @param agents that have files of it: UIDs of their pods
   * @throws KsnoopError as the check of the permission does
   */
  async answer(capture: CaptureView, agents: readonly string[]): Promise<JsonObject | null> {
    const { fetch, uid } = capture;
    if (fetch === undefined) {
      this.#answers.delete(uid);
      return null;
    }
    const now = this.#parts.now();
    const last = this.#answers.get(uid);
    const isSame = last !== undefined && isDeepStrictEqual([last.fetch, last.agents], [fetch, agents]);
    if (isSame && now >= last.at && now < last.at + TICKET_RENEW_MS) return last.status;
    const status = await this.#made(capture, fetch, agents);
    this.#answers.set(uid, { at: now, fetch, agents, status });
    return status;
  }

  /** Milliseconds until an answer is due for renewal; infinite where none is given. */
  dueIn({ uid, fetch, status }: CaptureView): number {
    const last = this.#answers.get(uid);
    if (fetch === undefined || (last === undefined && isOld(status, fetch, this.#parts.now()))) return Infinity;
    if (last === undefined || last.status.message !== undefined) return TICKET_RENEW_MS;
    return Math.max(0, last.at + TICKET_RENEW_MS - this.#parts.now());
  }

  /** Forget what was answered for Captures that are gone. */
  forget(uid: string): void {
    this.#answers.delete(uid);
  }

  async #made(capture: CaptureView, fetch: FetchSpec, agents: readonly string[]): Promise<JsonObject> {
    const now = this.#parts.now();
    const since = sinceOf(capture.status, fetch) ?? timestamp(now);
    const refuse = (message: string) => ({ key: fetch.key, since, message, nodes: null, urls: null });
    if (isOld(capture.status, fetch, now)) return refuse('Too much time has passed: ask again, with another key.');
    const missing = await this.#parts.refusalOf(capture, fetch.requester);
    if (missing !== undefined) return refuse(missing);
    try {
      return {
        key: fetch.key,
        since,
        message: null,
        nodes: this.#nodes(capture, fetch, agents),
        urls: this.#urls(capture, fetch),
      };
    } catch (thrown) {
      // A key that is none.
      if (thrown instanceof KsnoopError) return refuse(thrown.message);
      throw thrown;
    }
  }

  #nodes(capture: CaptureView, fetch: FetchSpec, agents: readonly string[]): JsonObject[] {
    return agents.slice(0, FETCH_NODES).flatMap((uid) => {
      const agent = this.#parts.agent(uid);
      if (agent === undefined) return [];
      const ticket = this.#parts.tickets.fetch(capture.uid, fetch.requester.user, agent);
      const { namespace, name, nodeName } = agent;
      return [{ node: nodeName, agent: { namespace, name, uid }, sealed: seal(ticket, fetch.key).toString('base64') }];
    });
  }

  /** URLs of the files that were asked for, of this Capture only. */
  #urls(capture: CaptureView, fetch: FetchSpec): JsonObject[] {
    const name = capture.recording?.destination ?? NODE_DESTINATION;
    if (name === NODE_DESTINATION || fetch.files.length === 0) return [];
    const destination = this.#parts.destination(name, capture.namespace);
    if (typeof destination === 'string' || 'claim' in destination) return [];
    return fetch.files.flatMap((file) => {
      if (file.split('/').some((part) => part === '' || part === '.' || part === '..')) return [];
      const key = objectKey(destination, capture, file);
      const now = this.#parts.now();
      const url = presign(destination.bucket, { method: 'GET', key, expiresS: FETCH_URL_S, now });
      const { ca } = destination;
      const secret = Buffer.from(JSON.stringify({ url: url.href, ...(ca !== undefined && { ca }) }));
      return [{ name: file, sealed: seal(secret, fetch.key).toString('base64') }];
    });
  }
}

function sinceOf(status: JsonObject, { key }: FetchSpec): string | undefined {
  const before = objectAt(status, 'fetch');
  return before.key === key ? optionalString(before, 'since') : undefined;
}

function isOld(status: JsonObject, fetch: FetchSpec, now: number): boolean {
  const since = Date.parse(sinceOf(status, fetch) ?? '');
  return Number.isFinite(since) && now > since + FETCH_MS;
}
