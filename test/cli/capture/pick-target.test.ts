import { afterEach, expect, test } from 'vitest';
import { loadKube } from '../../../src/capture/kube/config.ts';
import { choice, pickTargets } from '../../../src/cli/capture/pick-target.ts';
import { type ObjectServer, podObject, startObjectServer } from '../../support/object-server.ts';

const offered = ['deployment/web', 'service/web', 'pod/web-1', 'pod/web-2'];

test.each([
  ['1', ['deployment/web']],
  ['2-4', ['service/web', 'pod/web-1', 'pod/web-2']],
  ['4, 1 4', ['pod/web-2', 'deployment/web']],
  ['web', ['deployment/web']],
  ['pod/web-1', ['pod/web-1']],
  ['svc/other', ['svc/other']],
  [' ', []],
])('%j chooses', (line, words) => {
  expect(choice(line, offered)).toEqual(words);
});

test.each(['0', '5', '3-5', '3-2', 'wbe', '99999999'])('%j does not', (line) => {
  expect(choice(line, offered)).toEqual(expect.stringMatching(/in the list\.|of the list\./));
});

let server: ObjectServer;
afterEach(() => server?.api.close());

async function pick(...answers: (string | undefined)[]) {
  server = await startObjectServer(
    podObject('web-1'),
    podObject('elsewhere', { namespace: 'other' }),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: {} },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } },
  );
  server.forbid(/statefulsets/);
  const kube = await loadKube({ kubeconfig: server.api.kubeconfig() });
  const shown: string[] = [];
  const picked = pickTargets(kube, 'shop', new AbortController().signal, async (text) => {
    shown.push(text);
    return answers.shift();
  });
  return { picked, shown };
}

test('what a namespace has is offered by number, and asked again after a slip', async () => {
  const { picked, shown } = await pick('7', '1 3');
  expect(await picked).toEqual(['deployment/web', 'pod/web-1']);
  expect(shown[0]?.split('\n').slice(0, 4)).toEqual([
    'Which targets in namespace shop do you want to capture?',
    '  1  deployment/web',
    '  2  service/web',
    '  3  pod/web-1',
  ]);
  expect(shown[1]).toMatch(/^7 is not a number of the list\.\n/);
});

test('nothing chosen is no capture', async () => {
  const { picked } = await pick(undefined);
  await expect(picked).rejects.toMatchObject({ code: 'USAGE', exit: 2 });
});
