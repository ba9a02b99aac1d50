import type { KeyObject } from 'node:crypto';
import type { Kube } from '../capture/kube/kube.ts';
import { messageOf } from '../wire/errors.ts';
import { ClusterWatch } from './cluster-watch.ts';
import { Events } from './events.ts';
import { RETRY_FIRST_MS, RETRY_LAST_MS, SETTLE_MS, WORKERS } from './limits.ts';
import { PolicyHistory } from './policy-history.ts';
import type { PolicyRecords } from './policy-record.ts';
import { WorkQueue } from './queue.ts';
import { Reconciler } from './reconciler.ts';
import { forwardedAgents } from './recording/agent-pool.ts';
import type { FindDestination } from './recording/destinations.ts';

export interface ControllerOptions {
  readonly kube: Kube;
  /** Signs the tickets: Ed25519. */
  readonly key: KeyObject;
  /** This replica's name. */
  readonly identity: string;
  /** Where recordings may go. */
  readonly destination: FindDestination;
  readonly log: (line: string) => void;
  /** Since when the policy is as it is, as the last controller has recorded it. */
  readonly records: PolicyRecords;
}

/**
 * Serve Captures until the signal aborts. Only one controller of a cluster may do so at a time (election.ts).
 * @throws Error when the API server refuses one of the watches, or the record of the policy
 */
export async function serveCaptures(options: ControllerOptions, signal: AbortSignal): Promise<void> {
  const { kube, key, identity, destination, log, records } = options;
  const history = new PolicyHistory(records, signal, log);
  await history.load();
  const events = new Events(kube, identity, log);
  const queue = new WorkQueue(
    async (name) => {
      try {
        return await reconciler.reconcile(name);
      } catch (thrown) {
        if (!signal.aborted) log(`Capture ${name}: ${messageOf(thrown)}`);
        throw thrown;
      }
    },
    { workers: WORKERS, times: { settleMs: SETTLE_MS, firstMs: RETRY_FIRST_MS, lastMs: RETRY_LAST_MS } },
  );
  const all = () => {
    for (const name of cluster.captures.keys()) queue.add(name);
  };
  let isReady = false;
  const cluster: ClusterWatch = new ClusterWatch({
    kube,
    signal,
    log,
    history,
    onCapture: (name) => {
      if (isReady) queue.add(name);
    },
    onOther: () => {
      if (isReady) all();
    },
  });
  const reconciler = new Reconciler({
    kube,
    cluster,
    events,
    key,
    pool: forwardedAgents(kube),
    destination,
    log,
    signal,
    enqueue: (name) => queue.add(name),
  });
  if (await cluster.synced) {
    isReady = true;
    reconciler.start();
    log(`serving ${cluster.captures.size} Captures`);
    all();
    await cluster.ended;
  }
  await queue.close();
  reconciler.close();
  if (events.dropped > 0) log(`${events.dropped} events were dropped`);
  if (!signal.aborted) throw new Error('the API server refuses a watch that the controller needs');
}
