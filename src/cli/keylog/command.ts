import { dump } from 'js-yaml';
import { kindOfOwner, targetKind } from '../../capture/kinds/index.ts';
import type { TargetKind } from '../../capture/kinds/kind.ts';
import { find } from '../../capture/kube/api.ts';
import { Discovery } from '../../capture/kube/discovery.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { ownersOf } from '../../capture/kube/pod.ts';
import { resourcePath } from '../../capture/kube/resource.ts';
import { Owners } from '../../capture/targets/owners.ts';
import { resolveRef } from '../../capture/targets/target-find.ts';
import { isPattern, parseTargets, type TargetRef } from '../../capture/targets/target-words.ts';
import { hasTemplate, keyLogPatch } from '../../run/keys/key-log-patch.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import type { JsonObject } from '../../wire/guard.ts';
import { openCluster } from '../cluster.ts';
import { shellWord } from '../shell-word.ts';
import { onStopSignals } from '../signals.ts';
import { usage } from '../usage.ts';
import { patchNotes } from './notes.ts';

export interface RawKeyLogPatchOptions {
  readonly namespace?: string;
  readonly container?: string;
  readonly remove?: boolean;
  readonly output: 'yaml' | 'json';
  readonly context?: string;
  readonly kubeconfig?: string;
}

/**
 * `ksnoop keylog patch TARGET`: the patch goes to stdout, what to do with it to stderr. The cluster is only read.
 * @throws KsnoopError USAGE, BAD_TARGET, NO_SUCH_TARGET, NO_SUCH_CONTAINER, and as the API server has it
 */
export async function keyLogPatchCommand(words: readonly string[], raw: RawKeyLogPatchOptions): Promise<ExitCode> {
  const [ref, ...others] = parseTargets(words, false);
  if (ref === undefined || others.length > 0 || isPattern(ref.name)) {
    throw usage('keylog patch takes one workload, by its name.', 'For example: ksnoop keylog patch deploy/web');
  }
  const abort = new AbortController();
  const release = onStopSignals(() => abort.abort());
  const kube = await openCluster(raw);
  try {
    const namespace = raw.namespace ?? kube.namespace;
    const { kind, object } = await workload(kube, ref, namespace, abort.signal);
    const { patch, files } = keyLogPatch(kind.name, object, { container: raw.container, remove: raw.remove === true });
    process.stdout.write(raw.output === 'json' ? `${JSON.stringify(patch, undefined, 2)}\n` : dump(patch));
    const target = `${kind.name}/${ref.name}`;
    const flags = `-n ${shellWord(namespace)}${raw.context === undefined ? '' : ` --context ${shellWord(raw.context)}`}`;
    process.stderr.write(patchNotes({ target, flags, files, kind: kind.name, remove: raw.remove === true }));
    return EXIT.done;
  } finally {
    kube.close();
    release();
  }
}

/** The object that was named. @throws KsnoopError where it does not exist, or has no pod template that may change */
async function workload(
  kube: Kube,
  ref: TargetRef,
  namespace: string,
  signal: AbortSignal,
): Promise<{ readonly kind: TargetKind; readonly object: JsonObject }> {
  const discovery = new Discovery(kube);
  const kind = targetKind(ref.kind);
  const object =
    kind && (await find(kube, resourcePath(kind.api, placeOf(kind, namespace), kind.plural, ref.name), signal));
  if (kind === undefined || object === undefined) {
    // It finds the object no more than the request above, and knows names that are near.
    const sides = { backends: true, controller: false };
    await resolveRef(
      ref,
      { refs: [ref], namespaces: [namespace], nodes: [], sides },
      { kube, discovery, signal, sides, crossNamespaces: false },
    );
    throw noTemplate(`${ref.kind}/${ref.name}`, 'its pods come from an object that ksnoop does not know');
  }
  const chain = await new Owners(kube, discovery, signal).chain({ owners: ownersOf(object), namespace });
  const [outermost] = chain;
  if (outermost !== undefined) {
    const ownerKind = kindOfOwner(outermost.apiVersion, outermost.kind)?.name ?? outermost.kind.toLowerCase();
    const owner = `${ownerKind}/${outermost.name}`;
    const hint = hasTemplate(ownerKind)
      ? `Name that one: ksnoop keylog patch ${owner} -n ${namespace}`
      : `Set SSLKEYLOGFILE in the pod template of ${owner}.`;
    throw noTemplate(`${kind.name}/${ref.name}`, `it belongs to ${owner}, which would replace it`, hint);
  }
  if (hasTemplate(kind.name)) return { kind, object };
  const why = ['pod', 'job'].includes(kind.name)
    ? 'environment and volumes of pods that exist cannot be changed'
    : 'it has no pod template';
  throw noTemplate(`${kind.name}/${ref.name}`, why);
}

function placeOf({ namespaced }: TargetKind, namespace: string): string | undefined {
  return namespaced ? namespace : undefined;
}

function noTemplate(target: string, why: string, hint?: string): KsnoopError {
  return new KsnoopError('BAD_TARGET', `No patch can be made for ${target}: ${why}.`, {
    exit: EXIT.usage,
    hint: hint ?? 'Name the object that makes the pods: deploy/NAME, sts/NAME, ds/NAME or cronjob/NAME.',
  });
}
