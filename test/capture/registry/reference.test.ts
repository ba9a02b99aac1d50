import { expect, test } from 'vitest';
import { parseReference } from '../../../src/capture/registry/reference.ts';

test.each([
  ['registry.example/team/agent:1.0', 'registry.example', 'team/agent', '1.0', 'https://registry.example'],
  ['registry.example:5000/agent', 'registry.example:5000', 'agent', 'latest', 'https://registry.example:5000'],
  ['localhost:5001/agent:a', 'localhost:5001', 'agent', 'a', 'http://localhost:5001'],
  ['127.0.0.1:5001/x/agent', '127.0.0.1:5001', 'x/agent', 'latest', 'http://127.0.0.1:5001'],
  ['agent:1', 'docker.io', 'library/agent', '1', 'https://registry-1.docker.io'],
  ['team/agent', 'docker.io', 'team/agent', 'latest', 'https://registry-1.docker.io'],
])('%s', (text, registry, repository, tag, origin) => {
  expect(parseReference(text)).toMatchObject({ registry, repository, tag, origin });
});

test.each([
  '',
  'UPPER/agent',
  'a//b',
  'a:',
  'a@sha256:00',
  'registry.example/../x',
  'reg_istry.example/x',
  'a/b:-c',
  'a b',
])('"%s" is refused', (text) => {
  expect(() => parseReference(text)).toThrowError(expect.objectContaining({ code: 'BAD_IMAGE_NAME', exit: 2 }));
});
