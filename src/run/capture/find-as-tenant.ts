import type { Kube } from '../../capture/kube/kube.ts';
import { followNames } from '../../capture/names/live-names.ts';
import { takesCaptures } from '../../capture/tenant/capture-object.ts';
import { TenantCapture } from '../../capture/tenant/tenant-capture.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { DURATION_MAXIMUM_MS } from '../../wire/limits.ts';
import type { CaptureConfig } from './config.ts';
import type { OpenedQuery } from './find-targets.ts';
import type { CapturePlan } from './plan.ts';

/** How long a Capture lives without --duration, and how much longer than --duration: a capture begins after its object was made. */
const TENANT_DURATION_MS = 8 * 3_600_000;
const TENANT_START_MS = 60_000;

/**
 * Plan a capture of a tenant: a Capture object says what is captured, and its tickets open the sessions with the agents.
 * The plan's `close` ends the object.
 * @throws KsnoopError USAGE for what a Capture cannot say, and as TenantCapture.begin has it
 */
export async function findAsTenant(
  { kube, query }: OpenedQuery,
  config: CaptureConfig,
  signal: AbortSignal,
): Promise<CapturePlan> {
  checkExpressible(config);
  const [namespace = kube.namespace, ...others] = query.namespaces ?? [];
  if (query.namespaces === undefined || others.length > 0) throw inexpressible('has pods of one namespace');
  const limited = Number.isFinite(config.durationMs);
  const durationMs = limited ? config.durationMs + TENANT_START_MS : TENANT_DURATION_MS;
  const capture = await TenantCapture.begin(
    kube,
    {
      namespace,
      targets: query.refs.map(({ kind, name }) => `${kind}/${name}`),
      filter: config.filter,
      snaplen: config.snaplen,
      hostNetwork: config.wholeNode,
      durationMs: Math.min(durationMs, DURATION_MAXIMUM_MS),
      follow: config.follow,
      resumeWindowMs: config.transport.resumeWindowMs,
      compress: config.transport.compress,
    },
    signal,
  );
  const plans = capture.plans();
  const until = limited ? '' : `; it ends after ${TENANT_DURATION_MS / 3_600_000} h, or as --duration says`;
  return {
    plans,
    labels: capture.labels,
    refused: [],
    waiting: plans.length === 0,
    growing: config.follow,
    leaveOut: undefined,
    seen: undefined,
    asTenant: true,
    warnings: [`capturing as a tenant: Capture ${capture.name}${until}`],
    follow: (emit, ended) => capture.follow(emit, ended),
    names: [],
    followNames: async (ended, onNames, onComplete, started) => {
      const isTarget = () => false;
      await followNames({
        kube,
        namespaces: [namespace],
        isTarget,
        watch: config.follow,
        started,
        signal: ended,
        onNames,
        onComplete,
      });
    },
    cluster: { kube, namespaces: [namespace] },
    close: async () => {
      const why = await capture.close();
      kube.close();
      return why && `Capture ${capture.name} could not be deleted, and ends when its duration has passed: ${why}`;
    },
  };
}

/** Whether who may not list the agents may capture as a tenant. */
export async function isForTenants(kube: Kube, signal: AbortSignal): Promise<boolean> {
  return await takesCaptures(kube, signal).catch(() => false);
}

/** Flags that choose what a Capture has no words for. */
function checkExpressible(config: CaptureConfig): void {
  if (config.container !== undefined)
    throw inexpressible('captures all ports of a pod, not those of one container (-c)');
  if (config.clients || (config.depth ?? 0) > 0) {
    const hint = 'Leave out --clients and --depth; for ksnoop diagnose use --scope target.';
    throw inexpressible('has no callers and callees (--clients, --depth)', hint);
  }
  if (config.ownNodes === true) throw inexpressible('has no nodes');
  const { backends, controller } = config.sides;
  if (!backends || !controller) throw inexpressible('has both sides of an Ingress or Gateway');
  if (config.selector !== undefined || config.fieldSelector !== undefined || config.nodes.length > 0) {
    throw inexpressible('names its targets: selectors and --node cannot choose them');
  }
  if (config.allNamespaces || config.crossNamespaces === true) throw inexpressible('has pods of one namespace');
}

function inexpressible(
  why: string,
  hint = 'Name targets as KIND/NAME, such as svc/web or deploy/api, in one namespace.',
): KsnoopError {
  return new KsnoopError('USAGE', `A capture of a tenant ${why}.`, { hint });
}
