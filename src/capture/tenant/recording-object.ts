import type { Kube } from '../kube/kube.ts';
import { CAPTURE_API, type CaptureManifest, ownUser } from './capture-object.ts';

/** What a user wants to record, in the terms of the Capture's spec. */
export interface WantedRecording {
  readonly namespace: string;
  /** Left out: the API server makes one. */
  readonly name: string | undefined;
  /** KIND/NAME. */
  readonly targets: readonly string[];
  readonly filter: string | undefined;
  readonly snaplen: number | undefined;
  /** Also pods on their node's network. */
  readonly hostNetwork: boolean;
  readonly durationMs: number;
  /** Of each node. */
  readonly bytes: number | undefined;
  readonly ring: { readonly files: number; readonly fileBytes: number } | undefined;
  readonly trigger: { readonly where: string; readonly beforeMs?: number; readonly afterMs?: number } | undefined;
  readonly destination: string;
}

/**
 * The Capture that records this, in the user's own name.
 * @throws KsnoopError as the API server has it when it is asked for that name
 */
export async function recordingObject(
  kube: Kube,
  wanted: WantedRecording,
  signal: AbortSignal,
): Promise<CaptureManifest> {
  const { namespace, name, targets, filter, snaplen, hostNetwork, durationMs, bytes, ring, trigger } = wanted;
  const user = await ownUser(kube, signal);
  return {
    apiVersion: CAPTURE_API,
    kind: 'Capture',
    metadata: { ...(name === undefined ? { generateName: 'ksnoop-' } : { name }), namespace },
    spec: {
      targets,
      ...(filter !== undefined && { filter }),
      ...(snaplen !== undefined && { snaplen }),
      ...(hostNetwork && { hostNetwork }),
      limits: {
        duration: seconds(durationMs),
        ...(bytes !== undefined && { bytes }),
        ...(ring !== undefined && { ring }),
      },
      ...(trigger !== undefined && {
        trigger: {
          where: trigger.where,
          ...(trigger.beforeMs !== undefined && { before: seconds(trigger.beforeMs) }),
          ...(trigger.afterMs !== undefined && { after: seconds(trigger.afterMs) }),
        },
      }),
      storage: { destination: wanted.destination },
      requestedBy: user.name,
      ...(user.groups.length > 0 && { requestedByGroups: user.groups }),
    },
  };
}

function seconds(milliseconds: number): string {
  return `${Math.ceil(milliseconds / 1000)}s`;
}
