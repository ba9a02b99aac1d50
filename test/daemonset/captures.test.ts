import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { DESCRIPTION } from '../../daemonset/image/description.ts';
import { withClaims } from '../../src/capture/install/claims.ts';
import { readKustomization } from '../../src/capture/install/manifests.ts';
import { KINDS, prepared } from '../../src/capture/install/objects.ts';
import { policyState } from '../../src/controller/policy.ts';
import { type JsonObject, objectAt, objectsAt } from '../../src/wire/guard.ts';

const directory = join(import.meta.dirname, '../../daemonset');
const captures = join(directory, 'captures');
let objects: JsonObject[];

beforeAll(() => {
  objects = readKustomization(join(directory, 'base'), [captures]);
});

function named(kind: string, name = 'captures.ksnoop.io'): JsonObject {
  const found = objects.find((object) => object.kind === kind && objectAt(object, 'metadata').name === name);
  if (found === undefined) throw new Error(`no ${kind} ${name}`);
  return found;
}

function podOf(object: JsonObject): JsonObject {
  return objectAt(objectAt(objectAt(object, 'spec'), 'template'), 'spec');
}

/** As the API server has it a minute later. */
function created(object: JsonObject): JsonObject {
  return { ...object, metadata: { ...objectAt(object, 'metadata'), creationTimestamp: '2026-01-01T00:00:00Z' } };
}

test('the overlay is the base with the component', () => {
  expect(readKustomization(join(directory, 'overlays/captures'))).toEqual(objects);
});

test('the overlay of a claim is what ksnoop install makes of its definition', () => {
  const claims = [{ name: 'shared', claim: 'ksnoop-recordings' }];
  expect(readKustomization(join(directory, 'overlays/recordings-pvc'))).toEqual(withClaims(objects, claims));
});

test('the component goes with the other overlays', () => {
  const both = readKustomization(join(directory, 'overlays/selinux'), [captures]);
  const pod = podOf(both.find(({ kind }) => kind === 'DaemonSet') ?? {});
  expect(pod.securityContext).toMatchObject({ seLinuxOptions: { type: 'spc_t' } });
  expect(objectsAt(pod, 'volumes').map(({ name }) => name)).toEqual(['spool', 'tickets', 'recordings']);
});

test('the policy is there before the kind that it protects, and is removed after it', () => {
  const order = KINDS.map(({ kind }) => kind);
  expect(order.indexOf('ValidatingAdmissionPolicyBinding')).toBeLessThan(order.indexOf('CustomResourceDefinition'));
});

test('the policy is the one that the controller demands', () => {
  const policy = created(named('ValidatingAdmissionPolicy'));
  const binding = created(named('ValidatingAdmissionPolicyBinding'));
  expect(policyState(policy, binding, () => 0)).toMatchObject({ protects: true });
  const changed = (object: JsonObject, spec: JsonObject) => ({
    ...object,
    spec: { ...objectAt(object, 'spec'), ...spec },
  });
  const { validations } = objectAt(policy, 'spec');
  const all = Array.isArray(validations) ? validations : [];
  expect(all).toHaveLength(8);
  for (let left = 0; left < all.length; left++) {
    const fewer = changed(policy, { validations: all.filter((_, index) => index !== left) });
    expect(policyState(fewer, binding, () => 0)).toMatchObject({
      protects: false,
      why: expect.stringContaining('validations'),
    });
  }
  const bad: [JsonObject | undefined, JsonObject | undefined][] = [
    [undefined, binding],
    [policy, undefined],
    [changed(policy, { failurePolicy: 'Ignore' }), binding],
    [changed(policy, { matchConditions: [{ name: 'never', expression: 'false' }] }), binding],
    [changed(policy, { variables: [{ name: 'exec', expression: 'true' }] }), binding],
    [changed(policy, { matchConstraints: { resourceRules: [] } }), binding],
    [
      changed(policy, {
        matchConstraints: {
          ...objectAt(objectAt(policy, 'spec'), 'matchConstraints'),
          namespaceSelector: { matchLabels: { a: 'b' } },
        },
      }),
      binding,
    ],
    [policy, changed(binding, { validationActions: ['Warn'] })],
    [policy, changed(binding, { policyName: 'other' })],
    [policy, changed(binding, { matchResources: { namespaceSelector: { matchLabels: { a: 'b' } } } })],
  ];
  for (const [one, other] of bad) expect(policyState(one, other, () => 0).protects).toBe(false);
});

test('a policy as the API server completes it counts', () => {
  const policy = created(named('ValidatingAdmissionPolicy'));
  const spec = objectAt(policy, 'spec');
  const match = objectAt(spec, 'matchConstraints');
  const rules = objectsAt(match, 'resourceRules').map((rule) => ({ ...rule, scope: '*' }));
  const completed = {
    ...match,
    matchPolicy: 'Equivalent',
    namespaceSelector: {},
    objectSelector: {},
    resourceRules: rules,
  };
  const whole = { ...policy, spec: { ...spec, matchConstraints: completed } };
  expect(policyState(whole, created(named('ValidatingAdmissionPolicyBinding')), () => 0).protects).toBe(true);
});

test('the controller is restricted, and has the one key, and what the administrator defines for recordings', () => {
  const pod = podOf(named('Deployment', 'ksnoop-controller'));
  const [container, ...others] = objectsAt(pod, 'containers');
  expect(others).toEqual([]);
  expect(pod).toMatchObject({ securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } });
  for (const host of ['hostPID', 'hostNetwork', 'hostIPC']) expect(pod).not.toHaveProperty(host);
  expect(container).toMatchObject({
    name: 'controller',
    command: [DESCRIPTION.controllerPath],
    securityContext: {
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
  });
  expect(objectsAt(pod, 'volumes').map((volume) => Object.keys(volume).at(-1))).toEqual([
    'secret',
    'emptyDir',
    'configMap',
    'secret',
  ]);
});

test('permissions of the controller: reads, the status of Captures, reviews and events', () => {
  const rules = objectsAt(named('ClusterRole', 'ksnoop-controller'), 'rules');
  const writes = rules.flatMap(({ resources, verbs }) => {
    const list = Array.isArray(verbs) ? verbs.filter((verb) => !['get', 'list', 'watch'].includes(verb)) : [];
    return list.length === 0 ? [] : [`${list} ${resources}`];
  });
  expect(writes).toEqual(['patch captures/status', 'create subjectaccessreviews', 'create events']);
  const everything = objects.flatMap((object) => objectsAt(object, 'rules'));
  expect(JSON.stringify(everything)).not.toMatch(/secrets|"\*"|exec/);
});

test('agents and controller get the image and the pull secrets', () => {
  const applied = prepared(
    objects.map((object) => ({ ...object })),
    { image: 'agent:1', pullSecrets: ['registry'] },
  );
  for (const kind of ['DaemonSet', 'Deployment']) {
    const pod = podOf(applied.find((object) => object.kind === kind) ?? {});
    expect(pod.imagePullSecrets).toEqual([{ name: 'registry' }]);
    expect(objectsAt(pod, 'containers').map(({ image }) => image)).toEqual(['agent:1']);
  }
});
