import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test, vi } from 'vitest';
import { loadKube } from '../../src/capture/kube/config.ts';
import { captureView } from '../../src/controller/capture-object.ts';
import { FollowedPods } from '../../src/controller/followed-pods.ts';
import { Gate } from '../../src/wire/gate.ts';
import { type ObjectServer, podObject, startObjectServer } from '../support/object-server.ts';
import { madeCapture } from './made-capture.ts';

const PODS = 12;
const MEGABYTE = 1_000_000;
let server: ObjectServer;
let followed: FollowedPods | undefined;

afterEach(async () => {
  followed?.stop();
  await server.api.close();
});

/** A megabyte of labels, and containers as many as the API server takes. */
function huge(name: string) {
  const labels = Object.fromEntries(
    Array.from({ length: 16_000 }, (_, index) => [`${name}-${index}`, 'x'.repeat(50)] as const),
  );
  const made = podObject(name, { labels: { ...labels, app: 'web' } });
  const containers = Array.from({ length: 10_000 }, (_, index) => ({ name: `${name}-c${index}` }));
  return { ...made, metadata: { ...made.metadata, uid: name }, spec: { nodeName: 'node1', containers } };
}

function usedBytes(): number {
  setFlagsFromString('--expose-gc');
  const gc: unknown = runInNewContext('gc');
  if (typeof gc === 'function') gc();
  return process.memoryUsage().heapUsed;
}

test.each(['svc/web', 'pod/web-*', 'pod/web-1'])(
  'of the pods of %s little is kept, however large they are',
  async (target) => {
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web' },
      spec: { selector: { app: 'web' } },
    };
    const names = Array.from({ length: PODS }, (_, index) => `web-${index}`);
    server = await startObjectServer(service, ...names.map(huge));
    const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
    const before = usedBytes();
    const changed = vi.fn();
    const pods = new FollowedPods(kube, new Gate(1), captureView(madeCapture({ targets: [target] })), changed);
    followed = pods;
    const wanted = target === 'pod/web-1' ? 1 : PODS;
    await expect.poll(() => pods.pods.size).toBe(wanted);
    // What its watches bring, too.
    server.put({
      ...huge('web-1'),
      status: { phase: 'Running', containerStatuses: [{ name: 'web-1-c0', containerID: 'x://1' }] },
    });
    await expect.poll(() => changed.mock.calls.length).toBeGreaterThan(1);
    await expect.poll(usedBytes, { interval: 500 }).toBeLessThan(before + (wanted * MEGABYTE) / 4 + MEGABYTE / 2);
    expect(JSON.stringify([...pods.pods.values()]).length).toBeLessThan(wanted * 1_000);
    kube.close();
  },
);
