import type { PodView } from '../capture/kube/pod.ts';
import type { JsonObject } from '../wire/guard.ts';
import { objectAt, objectsAt, optionalNumber } from '../wire/guard.ts';
import type { CaptureView } from './capture-object.ts';
import { captureInvolved, type Events, type Involved } from './events.ts';

/** Events of pods that are captured or recorded, and of the Capture where they are its first. @param others that have events already */
export function announceStart(events: Events, capture: CaptureView, joined: readonly PodView[], others: number): void {
  if (joined.length === 0) return;
  const verb = capture.recording === undefined ? 'captures' : 'records';
  const what = `${capture.requester.user} ${verb} ${packetsOf(capture)}`;
  if (others === 0) {
    events.write(capture, captureInvolved(capture), 'CaptureStarted', `${what} of ${joined.length} pods`);
  }
  for (const pod of joined) {
    events.write(capture, podInvolved(pod), 'CaptureStarted', `${what} (Capture ${capture.name})`);
  }
}

/** How much was captured. */
export interface Amount {
  readonly packets: number;
  readonly bytes: number;
}

/** How much of a Capture was captured, as far as it is known. */
export interface Amounts {
  readonly all: Amount | undefined;
  readonly on: (node: string) => Amount | undefined;
}

/**
 * Events of the end of a Capture, and of its pods, with what was captured in all and on the pod's node.
 * @param end its pods are those that had events of its start, as far as this controller knows them
 */
export function announceEnd(
  events: Events,
  {
    capture,
    message,
    pods,
  }: { readonly capture: CaptureView; readonly message: string; readonly pods: readonly PodView[] },
  { all, on }: Amounts,
): void {
  const verb = capture.recording === undefined ? 'captured' : 'recorded';
  const what = `${capture.requester.user} ${verb} ${packetsOf(capture)}`;
  const amount = all === undefined ? '' : `: ${amountOf(all)}`;
  events.write(capture, captureInvolved(capture), 'CaptureComplete', `${what}${amount}. ${message}`);
  for (const pod of pods) {
    const own = on(pod.nodeName);
    const onNode = own === undefined ? '' : `: ${amountOf(own)} on its node`;
    const text = `${what} (Capture ${capture.name})${onNode}. ${message}`;
    events.write(capture, podInvolved(pod), 'CaptureComplete', text);
  }
}

/** What the status of a recording has. */
export function recordedAmounts(status: JsonObject): Amounts {
  const nodes = objectsAt(status, 'nodes');
  return {
    all: sum([objectAt(status, 'counters')]),
    on(node) {
      const own = nodes.filter((each) => each.node === node);
      return own.length === 0 ? undefined : sum(own);
    },
  };
}

function packetsOf({ filter }: CaptureView): string {
  return filter === '' ? 'all packets' : `packets with filter "${filter}"`;
}

function podInvolved({ namespace, name, uid }: PodView): Involved {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
}

function sum(objects: readonly JsonObject[]): Amount {
  const total = (key: string) => objects.reduce((all, object) => all + (optionalNumber(object, key) ?? 0), 0);
  return { packets: total('packets'), bytes: total('bytes') };
}

function amountOf({ packets, bytes }: Amount): string {
  return `${packets} packets, ${bytes} bytes`;
}
