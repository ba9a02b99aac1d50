import { CLUSTER_PLAN_MS } from '../../capture/limits.ts';
import type { PeersSeen } from '../../capture/streams/peer-tap.ts';
import type { FollowChanges } from '../../capture/streams/target-change.ts';
import { Deadline } from '../../wire/deadline.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import type { CaptureConfig } from './config.ts';
import { findOpened, openQuery } from './find-targets.ts';
import type { CapturePlan } from './plan.ts';

/** What one cluster adds to a capture: its plan, or why it has none. */
type Part =
  | { readonly cluster: string; readonly plan: CapturePlan }
  | { readonly cluster: string; readonly error: KsnoopError };

/**
 * Ask several clusters for the targets named, all at once but for logins: a credential plugin that may ask its user something runs
 * alone. A cluster that cannot be asked, or does not answer CLUSTER_PLAN_MS after the first one, counts as a refused target.
 * @param contexts of the kubeconfig, at least one
 * @throws KsnoopError TOO_MANY_TARGETS (exit 2); what the first cluster refused with, where all of them do
 */
export async function findInClusters(
  contexts: readonly string[],
  config: CaptureConfig,
  signal: AbortSignal,
): Promise<CapturePlan> {
  const late = new AbortController();
  let deadline: Deadline | undefined;
  let login: Promise<unknown> = Promise.resolve();
  const within = AbortSignal.any([signal, late.signal]);
  const parts = await Promise.all(
    contexts.map(async (cluster): Promise<Part> => {
      try {
        const opened = await openQuery({ ...config, context: cluster }, within);
        if (opened.kube.auth === 'exec') {
          login = login.then(() => opened.kube.options()).catch(() => {});
          await login;
        }
        const plan = await findOpened(opened, config, within, cluster).catch((thrown: unknown) => {
          opened.kube.close();
          throw thrown;
        });
        deadline ??= new Deadline(CLUSTER_PLAN_MS, () => late.abort(silent()));
        return { cluster, plan };
      } catch (thrown) {
        signal.throwIfAborted();
        const error = late.signal.aborted ? late.signal.reason : thrown;
        if (!(error instanceof KsnoopError)) throw error;
        return { cluster, error: ofCluster(cluster, error) };
      }
    }),
  ).finally(() => deadline?.clear());
  const plans = parts.flatMap((part) => ('plan' in part ? [part] : []));
  const errors = parts.flatMap((part) => ('error' in part ? [{ label: part.cluster, error: part.error }] : []));
  if (plans.length === 0 && errors[0] !== undefined) throw errors[0].error;
  checkTotal(plans, config.maxTargets);
  return joined(plans, errors);
}

function joined(
  parts: readonly { readonly cluster: string; readonly plan: CapturePlan }[],
  errors: CapturePlan['refused'],
): CapturePlan {
  const plans = parts.map(({ plan }) => plan);
  const leftOut = plans.flatMap(({ leaveOut }) => (leaveOut === undefined ? [] : [`(${leaveOut})`]));
  const named = parts.map(({ cluster, plan }) => ({ cluster, followNames: plan.followNames }));
  return {
    clusters: parts.map(({ cluster }) => cluster),
    kubes: new Map(
      plans.flatMap(({ cluster }) => (cluster === undefined ? [] : [[cluster.kube.context, cluster.kube]])),
    ),
    plans: plans.flatMap((plan) => plan.plans),
    labels: new Map(plans.flatMap(({ labels }) => [...labels])),
    refused: [
      ...errors,
      ...parts.flatMap(({ cluster, plan }) =>
        plan.refused.map(({ label, error }) => ({ label: `${cluster}/${label}`, error: ofCluster(cluster, error) })),
      ),
    ],
    waiting: plans.some(({ waiting }) => waiting),
    growing: plans.some(({ growing }) => growing),
    warnings: parts.flatMap(({ cluster, plan }) => plan.warnings.map((warning) => `${cluster}: ${warning}`)),
    asTenant: plans.some(({ asTenant }) => asTenant === true),
    leaveOut: leftOut.length === 0 ? undefined : leftOut.join(' or '),
    names: plans.flatMap(({ names }) => names),
    follow: followAll(plans.flatMap(({ follow }) => follow ?? [])),
    seen: seenByAll(plans.flatMap(({ seen }) => seen ?? [])),
    followNames: async (signal, onNames, onComplete, started) => {
      const complete = Promise.withResolvers<void>();
      let missing = named.length;
      const done = () => {
        missing -= 1;
        if (missing === 0) complete.resolve();
      };
      void complete.promise.then(onComplete);
      await Promise.all(named.map(({ followNames }) => followNames?.(signal, onNames, done, started)));
    },
    close: async () => {
      const problems = await Promise.all(plans.map((plan) => plan.close()));
      return problems.find((problem) => problem !== undefined);
    },
  };
}

/** Pods of all clusters are seen: each label has its cluster in front. */
function seenByAll(all: readonly PeersSeen[]): PeersSeen | undefined {
  const callers = all.flatMap(({ caller }) => caller ?? []);
  const callees = all.flatMap(({ callee }) => callee ?? []);
  if (callers.length === 0 && callees.length === 0) return undefined;
  const tellAll = (takers: typeof callers) => (label: string, address: string) => {
    for (const take of takers) take(label, address);
  };
  return {
    caller: callers.length === 0 ? undefined : tellAll(callers),
    callee: callees.length === 0 ? undefined : tellAll(callees),
  };
}

function followAll(all: readonly FollowChanges[]): FollowChanges | undefined {
  if (all.length === 0) return undefined;
  return async (emit, signal, started) => {
    await Promise.all(all.map((follow) => follow(emit, signal, started)));
  };
}

/** An error that names the cluster it is about. */
function ofCluster(cluster: string, { code, message, hint, exit }: KsnoopError): KsnoopError {
  return new KsnoopError(code, `${cluster}: ${message}`, { hint, exit });
}

function silent(): KsnoopError {
  return new KsnoopError('TIMEOUT', 'The API server did not answer in time.', {
    hint: 'The other clusters are captured. Leave this one out of --context, or try again.',
  });
}

/** The bound holds for each cluster already, and here for all of them together. */
function checkTotal(parts: readonly { readonly plan: CapturePlan }[], maximum: number): void {
  const found = parts.reduce((sum, { plan }) => sum + plan.labels.size, 0);
  if (found <= maximum) return;
  for (const { plan } of parts) void plan.close();
  throw new KsnoopError(
    'TOO_MANY_TARGETS',
    `${found} targets were found in ${parts.length} clusters, and ${maximum} at most are captured at once.`,
    { hint: `Add --max-targets ${found} to capture them all, or choose fewer.`, exit: EXIT.usage },
  );
}
