import { expect, test } from 'vitest';
import { podView } from '../../../src/capture/kube/pod.ts';
import { containerFilter } from '../../../src/capture/targets/container-filter.ts';

const POD = podView({
  metadata: { uid: '1', name: 'web-1', namespace: 'shop' },
  spec: {
    containers: [
      { name: 'web', ports: [{ containerPort: 80 }, { containerPort: 443, protocol: 'UDP' }] },
      { name: 'mesh', ports: [{ containerPort: 15_001, protocol: 'SCTP' }] },
      { name: 'log' },
    ],
    initContainers: [{ name: 'setup' }],
  },
});

test('a container is its ports, each with its protocol', () => {
  expect(containerFilter(POD, 'web')).toBe('tcp port 80 or udp port 443');
  expect(containerFilter(POD, 'mesh')).toBe('sctp port 15001');
});

test('one that is not there is wrong use, and those that are there are named', () => {
  expect(() => containerFilter(POD, 'wbe')).toThrow(
    expect.objectContaining({
      code: 'NO_SUCH_CONTAINER',
      exit: 2,
      message: expect.stringContaining('shop/web-1'),
      hint: expect.stringContaining('web, mesh, log, setup'),
    }),
  );
});

test('one without ports cannot be told apart: said, and not a capture of everything', () => {
  expect(() => containerFilter(POD, 'log')).toThrow(
    expect.objectContaining({ code: 'NO_CONTAINER_PORTS', exit: 2, hint: expect.stringContaining('-f') }),
  );
});
