import type { Kube } from '../../capture/kube/kube.ts';
import { planLocal } from '../../capture/plan/local-plan.ts';
import type { CaptureTargets } from '../../capture/streams/capture.ts';
import type { PeersSeen } from '../../capture/streams/peer-tap.ts';
import { mayBeSeveral } from '../../capture/targets/context-words.ts';
import type { KsnoopError } from '../../wire/errors.ts';
import type { NamedAddress } from '../../wire/pcapng-write.ts';
import type { CaptureConfig } from './config.ts';
import type { PlanHooks } from './find-targets.ts';

/** @param started resolves when the first targets are captured: what the first packets do not need may begin */
export type FollowNames = (
  signal: AbortSignal,
  tell: (names: readonly NamedAddress[]) => void,
  known: () => void,
  started: Promise<void>,
) => Promise<void>;

/** What a capture will capture. */
export interface CapturePlan extends Omit<CaptureTargets, 'named'> {
  /** The contexts of its clusters where there are several; labels and names tell them apart. */
  readonly clusters?: readonly string[] | undefined;
  /** Targets may join later. */
  readonly growing: boolean;
  /** Something was found that has no pods yet: they are waited for. */
  readonly waiting: boolean;
  /** What each target is called, by its key. */
  readonly labels: ReadonlyMap<string, string>;
  /** Targets that cannot be captured. */
  readonly refused: readonly { readonly label: string; readonly error: KsnoopError }[];
  /** Notes for the user before the capture begins, a sentence each. */
  readonly warnings: readonly string[];
  /** Names of the targets' addresses. */
  readonly names: readonly NamedAddress[];
  /** pcap-filter(7) of what must not be captured; undefined for nothing. */
  readonly leaveOut: string | undefined;
  /** The agents take tickets of a Capture: they only capture, and analyse nothing. */
  readonly asTenant?: boolean;
  /** Takes the addresses that captured pods exchange packets with; undefined unless `clients` or `depth` needs them. */
  readonly seen: PeersSeen | undefined;
  /**
   * Gives the names of other addresses until the signal aborts: those that are known now, then `known`, later new ones.
   */
  readonly followNames: FollowNames | undefined;
  /** The API servers of several clusters, by NodeRef's `cluster`; undefined with one. */
  readonly kubes?: ReadonlyMap<string, Kube> | undefined;
  /** The API server, and the namespaces of the pods found; undefined without a cluster, or with several. */
  readonly cluster?: { readonly kube: Kube; readonly namespaces: readonly string[] } | undefined;
  /**
   * Close the connection to the API server, and end what was made there for this capture.
   * @returns a message for the user when that did not succeed
   */
  close(): Promise<string | undefined>;
}

/** Whether a plan has anything to capture, now or later. */
export function isEmpty({ plans, waiting }: CapturePlan): boolean {
  return plans.length === 0 && !waiting;
}

/**
 * Find the targets and how their nodes are reached. Nothing is captured yet.
 * @throws KsnoopError BAD_TARGET and others of usage (exit 2), and as kubeconfig, kinds and API server have it
 */
export async function planCapture(
  config: CaptureConfig,
  signal: AbortSignal,
  hooks: PlanHooks = {},
): Promise<CapturePlan> {
  if (config.local) return localPlan(config);
  // Loaded only here: --local needs no Kubernetes client.
  const { findTargets } = await import('./find-targets.ts');
  if (!mayBeSeveral(config.context)) return findTargets(config, signal, hooks);
  const { chosenContexts } = await import('../../capture/targets/contexts.ts');
  const contexts = chosenContexts(config);
  if (contexts === undefined) return findTargets(config, signal, hooks);
  const [only, ...others] = contexts;
  if (others.length === 0) return findTargets({ ...config, context: only }, signal, hooks);
  const { findInClusters } = await import('./several-clusters.ts');
  return findInClusters(contexts, config, signal);
}

function localPlan({ targets, namespace }: CaptureConfig): CapturePlan {
  const plan = planLocal(targets, namespace ?? 'default');
  return {
    plans: [plan],
    growing: false,
    waiting: false,
    labels: new Map(plan.targets.map(({ key }) => [key, key])),
    refused: [],
    warnings: [],
    names: [],
    leaveOut: undefined,
    seen: undefined,
    followNames: undefined,
    close: async () => undefined,
  };
}
