import { clusterFindings } from '../../analyze/findings/cluster/index.ts';
import type { Finding } from '../../analyze/findings/finding.ts';
import { namespaceObjects } from '../../capture/facts/namespace-objects.ts';
import { targetKind } from '../../capture/kinds/index.ts';
import { namePattern } from '../../capture/targets/target-words.ts';
import { KsnoopError } from '../../wire/errors.ts';
import type { JsonObject } from '../../wire/guard.ts';
import type { CaptureConfig } from '../capture/config.ts';
import { openQuery } from '../capture/find-targets.ts';
import { clusterFacts } from './cluster-facts.ts';

/** Findings without packets are not waited for longer than this. */
const EXAMINATION_MS = 5000;

export interface Examination {
  readonly findings: readonly Finding[];
  /** Why objects were not looked at, one sentence each. */
  readonly unread: readonly string[];
}

/**
 * What the cluster's objects prove about the Services and Ingresses among the targets, before any packet is captured. Targets of
 * other kinds, and all namespaces at once (-A), are not looked at.
 * @throws KsnoopError as openQuery; the signal's reason
 */
export async function examineCluster(config: CaptureConfig, signal: AbortSignal): Promise<Examination> {
  if (config.local || config.targets.length === 0) return { findings: [], unread: [] };
  const { kube, query } = await openQuery(config, signal);
  const late = AbortSignal.timeout(EXAMINATION_MS);
  try {
    const namespaces = query.namespaces ?? [];
    const named = (kind: string) => {
      const patterns = query.refs
        .filter((ref) => targetKind(ref.kind)?.name === kind)
        .map(({ name }) => namePattern(name));
      return (_namespace: string, name: string) => patterns.some((matches) => matches(name));
    };
    const isLookedAt = query.refs.some(({ kind }) => ['service', 'ingress'].includes(targetKind(kind)?.name ?? ''));
    if (!isLookedAt) return { findings: [], unread: [] };
    const subjects = { isService: named('service'), isIngress: named('ingress') };
    const findings: Finding[] = [];
    const unread = new Set<string>();
    for (const namespace of namespaces) {
      const objects = await namespaceObjects(kube, namespace, AbortSignal.any([signal, late]));
      findings.push(...clusterFindings(clusterFacts([objects], BigInt(Date.now()) * 1_000_000n), subjects));
      const { namespace: _labels, ...kinds } = objects;
      for (const read of Object.values(kinds) as readonly (readonly JsonObject[] | KsnoopError)[]) {
        if (read instanceof KsnoopError) unread.add(`${read.message} ${read.hint ?? ''}`.trimEnd());
      }
    }
    return { findings, unread: [...unread] };
  } catch (thrown) {
    signal.throwIfAborted();
    if (!late.aborted) throw thrown;
    return { findings: [], unread: [`The API server did not send the objects within ${EXAMINATION_MS / 1000} s.`] };
  } finally {
    kube.close();
  }
}
