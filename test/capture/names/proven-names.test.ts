import { afterEach, beforeEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { Kube } from '../../../src/capture/kube/kube.ts';
import { NAMED_BEFORE_MS } from '../../../src/capture/limits.ts';
import { provenNames } from '../../../src/capture/names/proven-names.ts';
import { type ObjectServer, podObject, startObjectServer, type TestObject } from '../../support/object-server.ts';

const SINCE = Date.parse('2026-11-30T10:00:00Z');
const at = (seconds: number) => new Date(SINCE + seconds * 1000).toISOString().replace('.000', '');
const OLD = at(-NAMED_BEFORE_MS / 1000 - 1);
const LATE = at(-NAMED_BEFORE_MS / 1000 + 1);

let server: ObjectServer;
let kube: Kube;
beforeEach(async () => {
  server = await startObjectServer();
  kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
});
afterEach(async () => {
  kube.close();
  await server.api.close();
});

interface Times {
  readonly created?: string;
  /** When its container was started. */
  readonly started?: string;
  /** When its sandbox was ready. */
  readonly sandbox?: string;
}

function pod(
  name: string,
  ip: string,
  times: Times,
  more: { spec?: object; status?: object; namespace?: string } = {},
) {
  const { created = OLD, started, sandbox } = times;
  const made = podObject(name, { ip, ...(more.namespace !== undefined && { namespace: more.namespace }) });
  return {
    ...made,
    metadata: { ...made.metadata, creationTimestamp: created },
    spec: { ...more.spec },
    status: {
      phase: 'Running',
      podIPs: [{ ip }],
      containerStatuses: [{ name: 'main', state: started === undefined ? {} : { running: { startedAt: started } } }],
      conditions:
        sandbox === undefined
          ? []
          : [{ type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: sandbox }],
      ...more.status,
    },
  };
}

function service(name: string, clusterIP: string, created: string, written: readonly (object | string)[]): TestObject {
  const managedFields = written.map((time) => (typeof time === 'string' ? { time } : time));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, creationTimestamp: created, managedFields },
    spec: { clusterIP, clusterIPs: [clusterIP] },
  };
}

async function found(...objects: TestObject[]): Promise<Record<string, string>> {
  for (const object of objects) server.put(object);
  const names = await provenNames(kube, { namespace: 'shop', since: SINCE }, new AbortController().signal);
  return Object.fromEntries(names.map(({ address, names: all }) => [address, all.join()]));
}

test('a pod has its name where its sandbox is older than the recording', async () => {
  const names = await found(
    pod('runs', '10.0.0.1', { started: OLD }),
    pod('restarted', '10.0.0.2', { started: at(60), sandbox: OLD }),
    pod('both', '10.0.0.3', { started: OLD, sandbox: OLD }),
    // A new sandbox, which may have another address than the first.
    pod('moved', '10.0.0.4', { started: at(60), sandbox: at(59) }),
    pod('unknown', '10.0.0.5', { started: at(60) }),
    pod('young', '10.0.0.6', { created: at(1), started: at(2), sandbox: at(1) }),
    pod('nearly', '10.0.0.7', { started: LATE, sandbox: LATE }),
    // Made anew under its name: the node's clock is wrong, or its times are lies.
    pod('again', '10.0.0.8', { created: at(1), started: OLD, sandbox: OLD }),
  );
  expect(names).toEqual({ '10.0.0.1': 'shop/runs', '10.0.0.2': 'shop/restarted', '10.0.0.3': 'shop/both' });
});

test('a pod of its node’s network has no name, nor one that has ended', async () => {
  const names = await found(
    pod('host', '10.0.0.1', { started: OLD }, { spec: { hostNetwork: true } }),
    pod('done', '10.0.0.2', { sandbox: OLD }, { status: { phase: 'Succeeded' } }),
    pod('odd', 'no address', { started: OLD }),
    pod(
      'six',
      '10.0.0.3',
      { started: OLD },
      { status: { podIPs: [{ ip: '10.0.0.3' }, { ip: 'fd00::3' }, { ip: 7 }] } },
    ),
  );
  expect(names).toEqual({ '10.0.0.3': 'shop/six', 'fd00::3': 'shop/six' });
});

test('a Service has its name where nothing of its spec was written since', async () => {
  const names = await found(
    service('old', '10.96.0.1', OLD, [OLD]),
    service('status', '10.96.0.2', OLD, [OLD, { time: at(60), subresource: 'status' }]),
    service('changed', '10.96.0.3', OLD, [OLD, at(60)]),
    service('unknown', '10.96.0.4', OLD, []),
    service('again', '10.96.0.5', at(1), [at(1)]),
    service('headless', 'None', OLD, [OLD]),
  );
  expect(names).toEqual({ '10.96.0.1': 'old.shop', '10.96.0.2': 'status.shop' });
});

test('what may be listed in the namespace alone is named; where nothing may be listed there are no names', async () => {
  const objects = [
    pod('own', '10.0.0.1', { started: OLD }),
    pod('peer', '10.0.0.2', { started: OLD }, { namespace: 'db' }),
  ];
  expect(await found(...objects)).toEqual({ '10.0.0.1': 'shop/own', '10.0.0.2': 'db/peer' });
  server.forbid(/^GET \/api\/v1\/(pods|services)/);
  expect(await found()).toEqual({ '10.0.0.1': 'shop/own' });
  server.forbid(/^GET/);
  expect(await found()).toEqual({});
});
