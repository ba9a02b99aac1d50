import type { PodView } from '../capture/kube/pod.ts';
import type { JsonObject } from '../wire/guard.ts';
import { objectAt, objectsAt, optionalNumber } from '../wire/guard.ts';
import type { CaptureView } from './capture-object.ts';
import { captureInvolved, type Events, type Involved } from './events.ts';
import type { Condition } from './status.ts';

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

/**
 * Events of the end of a Capture, and of its pods. Of a recording they have what was recorded; what a client has captured is in the logs
 * of the agents alone.
 * @param status that the Capture has now
 * @param pods that had events of its start, as far as this controller knows them
 */
export function announceEnd(
  events: Events,
  capture: CaptureView,
  complete: Condition,
  status: JsonObject,
  pods: readonly PodView[],
): void {
  const { recording, requester, name } = capture;
  const verb = recording === undefined ? 'captured' : 'recorded';
  const what = `${requester.user} ${verb} ${packetsOf(capture)}`;
  const nodes = objectsAt(status, 'nodes');
  const amount = recording === undefined ? '' : `: ${amountOf(objectAt(status, 'counters'))}`;
  events.write(capture, captureInvolved(capture), 'CaptureComplete', `${what}${amount}. ${complete.message}`);
  for (const pod of pods) {
    const own = nodes.filter(({ node }) => node === pod.nodeName);
    const onNode = recording === undefined || own.length === 0 ? '' : `: ${amountOf(sum(own))} on its node`;
    const message = `${what} (Capture ${name})${onNode}. ${complete.message}`;
    events.write(capture, podInvolved(pod), 'CaptureComplete', message);
  }
}

function packetsOf({ filter }: CaptureView): string {
  return filter === '' ? 'all packets' : `packets with filter "${filter}"`;
}

function podInvolved({ namespace, name, uid }: PodView): Involved {
  return { apiVersion: 'v1', kind: 'Pod', namespace, name, uid };
}

function sum(nodes: readonly JsonObject[]): JsonObject {
  const total = (key: string) => nodes.reduce((all, node) => all + (optionalNumber(node, key) ?? 0), 0);
  return { packets: total('packets'), bytes: total('bytes') };
}

function amountOf(counters: JsonObject): string {
  return `${optionalNumber(counters, 'packets') ?? 0} packets, ${optionalNumber(counters, 'bytes') ?? 0} bytes`;
}
