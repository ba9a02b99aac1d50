import { setTimeout as sleep } from 'node:timers/promises';
import { call, create, find } from '../capture/kube/api.ts';
import type { Kube } from '../capture/kube/kube.ts';
import { resourcePath } from '../capture/kube/resource.ts';
import { KsnoopError } from '../wire/errors.ts';
import { type JsonObject, objectAt, optionalNumber, optionalString } from '../wire/guard.ts';
import { LEASE_LOOK_MS, LEASE_MS, LEASE_RENEW_MS, LEASE_STOP_MS, LEASE_TRY_MS } from './limits.ts';

const API = 'coordination.k8s.io/v1';

export interface Election {
  readonly kube: Kube;
  readonly namespace: string;
  /** The Lease's name. */
  readonly name: string;
  /** Of the Lease, when it is made. */
  readonly labels: Readonly<Record<string, string>>;
  /** This replica's name, which no other one has. */
  readonly identity: string;
  readonly log: (line: string) => void;
  /** Other times than those of limits.ts, for tests. */
  readonly times?: ElectionTimes;
}

/** As LEASE_… in limits.ts, milliseconds. */
export interface ElectionTimes {
  readonly leaseMs: number;
  readonly stopMs: number;
  readonly renewMs: number;
  readonly tryMs: number;
  readonly lookMs: number;
}

const TIMES: ElectionTimes = {
  leaseMs: LEASE_MS,
  stopMs: LEASE_STOP_MS,
  renewMs: LEASE_RENEW_MS,
  tryMs: LEASE_TRY_MS,
  lookMs: LEASE_LOOK_MS,
};

/** What was last seen of the Lease, and when by this machine's own clock: clocks of two machines are not compared. */
interface Seen {
  readonly record: string;
  readonly at: number;
}

/**
 * Work while this replica holds the Lease (coordination.k8s.io): one replica at a time. A holder stops 10 s after it has sent the last
 * renewal that succeeded. Another one may take the Lease 12 s after it has seen that renewal, and does so at that moment.
 * @param work runs until its signal aborts, and is awaited before the Lease is tried for again
 * @returns when the signal aborts; the Lease is given up, so that another replica need not wait
 */
export async function whileElected(
  election: Election,
  work: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const { leaseMs, stopMs, renewMs, tryMs, lookMs } = election.times ?? TIMES;
  let seen: Seen = { record: '', at: 0 };
  const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {});
  /** Milliseconds until a Lease that another one holds may be looked at again: when it ends, it is taken. */
  const untilLook = () => Math.min(lookMs, Math.max(1, Math.ceil(seen.at + leaseMs - performance.now())));

  /** @returns whether this replica holds the Lease now */
  async function acquire(until: AbortSignal): Promise<boolean> {
    const path = resourcePath(API, election.namespace, 'leases', election.name);
    const lease = await find(election.kube, path, until);
    const now = new Date().toISOString().replace('Z', '000Z');
    if (lease === undefined) {
      const metadata = { name: election.name, namespace: election.namespace, labels: election.labels };
      const spec = { ...recordOf(election.identity, now, leaseMs), acquireTime: now, leaseTransitions: 0 };
      const made = { apiVersion: API, kind: 'Lease', metadata, spec };
      await create(election.kube, resourcePath(API, election.namespace, 'leases'), made, until);
      return true;
    }
    const spec = objectAt(lease, 'spec');
    const holder = optionalString(spec, 'holderIdentity') ?? '';
    const record = JSON.stringify(spec);
    if (record !== seen.record) seen = { record, at: performance.now() };
    const isOurs = holder === election.identity;
    if (!isOurs && holder !== '' && performance.now() < seen.at + leaseMs) return false;
    const change = isOurs
      ? {}
      : { acquireTime: now, leaseTransitions: (optionalNumber(spec, 'leaseTransitions') ?? 0) + 1 };
    await patch(election, lease, { ...recordOf(election.identity, now, leaseMs), ...change }, until);
    return true;
  }

  while (!signal.aborted) {
    // What another one does with the Lease is after this moment.
    let renewed = performance.now();
    const held = await acquire(within(signal, tryMs)).catch(failed(election, signal));
    if (held !== true) {
      await pause(held === false ? untilLook() : lookMs);
      continue;
    }
    election.log(`elected: ${election.identity} works`);
    const own = new AbortController();
    const working = work(AbortSignal.any([signal, own.signal]));
    while (!signal.aborted) {
      const left = () => renewed + stopMs - performance.now();
      await pause(Math.max(1, Math.min(renewMs, left())));
      if (signal.aborted || left() <= 0) break;
      const sent = performance.now();
      const still = await acquire(within(signal, Math.min(tryMs, left()))).catch(failed(election, signal));
      if (still === true) renewed = sent;
      // Another one has it, or it may have it soon.
      if (still === false || left() <= 0) break;
    }
    own.abort();
    await working;
    if (signal.aborted) await release(election).catch(() => {});
    else election.log(`the Lease was lost: ${election.identity} waits`);
  }
}

/** @param ms may be no whole number */
function within(signal: AbortSignal, ms: number): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(Math.max(1, Math.ceil(ms)))]);
}

function recordOf(holderIdentity: string, renewTime: string, leaseMs: number): JsonObject {
  return { holderIdentity, renewTime, leaseDurationSeconds: Math.max(1, Math.round(leaseMs / 1000)) };
}

/** A replica that changed the Lease at the same moment is noticed by the resource version. @throws KsnoopError CONFLICT */
async function patch(election: Election, lease: JsonObject, spec: JsonObject, signal?: AbortSignal): Promise<void> {
  const { resourceVersion } = objectAt(lease, 'metadata');
  await call(election.kube, {
    method: 'PATCH',
    path: resourcePath(API, election.namespace, 'leases', election.name),
    body: JSON.stringify({ metadata: { resourceVersion }, spec }),
    contentType: 'application/merge-patch+json',
    signal,
  });
}

async function release(election: Election): Promise<void> {
  const path = resourcePath(API, election.namespace, 'leases', election.name);
  const until = AbortSignal.timeout(LEASE_RENEW_MS);
  const lease = await find(election.kube, path, until);
  if (lease === undefined || objectAt(lease, 'spec').holderIdentity !== election.identity) return;
  await patch(election, lease, { holderIdentity: '' }, until);
}

/** @returns undefined: not known whether this replica holds the Lease */
function failed({ log }: Election, signal: AbortSignal) {
  return (thrown: unknown): undefined => {
    if (signal.aborted) return undefined;
    const isLost = thrown instanceof KsnoopError && thrown.code === 'CONFLICT';
    if (!isLost) log(`the Lease cannot be renewed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    return undefined;
  };
}
