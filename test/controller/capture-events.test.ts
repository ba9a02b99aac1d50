import { generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKube } from '../../src/capture/kube/config.ts';
import type { Kube } from '../../src/capture/kube/kube.ts';
import { type PodView, podView } from '../../src/capture/kube/pod.ts';
import { CaptureEvents } from '../../src/controller/capture-events.ts';
import { captureView } from '../../src/controller/capture-object.ts';
import { Events } from '../../src/controller/events.ts';
import { PODS_REMEMBERED } from '../../src/controller/limits.ts';
import { AgentPool } from '../../src/controller/recording/agent-pool.ts';
import { RecordTickets } from '../../src/controller/recording/record-tickets.ts';
import { type ObjectServer, podObject, startObjectServer } from '../support/object-server.ts';
import { madeCapture } from './made-capture.ts';

const KEY = 'shop/one';
const capture = captureView(madeCapture());

let server: ObjectServer;
let kube: Kube;
let captureEvents: CaptureEvents;

beforeEach(async () => {
  server = await startObjectServer();
  server.onWrite(({ body }) => body);
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  captureEvents = new CaptureEvents({
    pool: new AgentPool(() => {
      throw new Error('no agent is asked');
    }),
    tickets: new RecordTickets(generateKeyPairSync('ed25519').privateKey, Date.now),
    events: new Events(kube, 'controller', () => {}),
    agentOn: () => undefined,
    signal: new AbortController().signal,
  });
});
afterEach(async () => {
  kube.close();
  await server.api.close();
});

function pod(number: number): PodView {
  const made = podObject(`web-${number}`);
  return podView({ ...made, metadata: { ...made.metadata, namespace: 'shop', uid: `uid-${number}` } });
}

test('of pods that come and go for many days the last ones are remembered, and all that are there', () => {
  const stays = pod(0);
  for (let number = 1; number <= 2 * PODS_REMEMBERED; number += 1) {
    captureEvents.started(KEY, capture, [stays, pod(number)]);
  }
  const known = captureEvents.podsOf(KEY, capture).map(({ uid }) => uid);
  expect(known).toHaveLength(PODS_REMEMBERED);
  expect(known[0]).toBe('uid-0');
  expect(known.at(-1)).toBe(`uid-${2 * PODS_REMEMBERED}`);
  expect(captureEvents.podsOf(KEY, { ...capture, uid: 'another' })).toEqual([]);
});
