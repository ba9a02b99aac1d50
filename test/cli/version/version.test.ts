import { load } from 'js-yaml';
import { expect, test } from 'vitest';
import { versionLines } from '../../../src/cli/version/agents.ts';
import { k9sPlugin } from '../../../src/cli/version/k9s-plugin.ts';
import { skewOf } from '../../../src/cli/version/skew.ts';

const CLIENT = { version: '1.4.0', protocol: '1.1', node: '26.10.0' };

test.each([
  ['1.4.0', 'same'],
  ['1.4.2', 'compatible'],
  ['1.3.9', 'compatible'],
  ['1.5.0', 'compatible'],
  ['1.2.0', 'agents too old'],
  ['0.9.0', 'agents too old'],
  ['1.6.0', 'agents too new'],
  ['2.4.0', 'agents too new'],
  ['', 'unknown'],
  ['main', 'unknown'],
])('agents of version %s are %s', (agents, skew) => {
  expect(skewOf(CLIENT.version, agents)).toBe(skew);
});

test('the versions are told with images and digests, and with what to do where they do not fit', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const agents = [
    { image: 'ksnoop-agent:1.2.0', digest, nodes: ['n1', 'n2'] },
    { image: 'ksnoop-agent:1.3.0', digest: '', nodes: ['n3'] },
  ];
  const cluster = { context: 'kind', installed: true, version: '1.2.0', agents, skew: 'agents too old' } as const;
  expect(versionLines({ client: CLIENT, cluster })).toEqual([
    'client  ksnoop 1.4.0, protocol 1.1, Node 26.10.0',
    'agents  ksnoop 1.2.0 in context kind',
    `        2 × ksnoop-agent:1.2.0 (${digest})`,
    '        1 × ksnoop-agent:1.3.0 (not started)',
    expect.stringMatching(/^Bring the agents to this version: ksnoop install --image IMAGE-OF-/),
  ]);
});

test('a client that is too old is told the version of the agents', () => {
  const cluster = { context: 'kind', installed: true, version: '2.4.0', agents: [], skew: 'agents too new' } as const;
  expect(versionLines({ client: CLIENT, cluster }).at(-1)).toBe(
    "Install the agents' version of this program: npm install -g ksnoop@2.4.0",
  );
});

test('a cluster without agents, and one that cannot be asked, are said', () => {
  const cluster = { context: 'kind', installed: false, version: '', agents: [], skew: 'unknown' } as const;
  expect(versionLines({ client: CLIENT, cluster })[1]).toBe('agents  not installed in context kind');
  const error = { code: 'UNREACHABLE', message: 'no way' };
  expect(versionLines({ client: CLIENT, error })[1]).toBe('agents  not known: no way');
});

test('every plugin of k9s has keys, scope and arguments; names never stand in the script', () => {
  const { plugins } = load(k9sPlugin()) as { plugins: Record<string, { scopes: string[]; args: string[] }> };
  expect(Object.keys(plugins)).toContain('ksnoop-requests-pods');
  for (const { scopes, args } of Object.values(plugins)) {
    expect(scopes).toHaveLength(1);
    expect(args[1]).not.toMatch(/\$(CONTEXT|NAMESPACE|NAME)/);
    expect(args.slice(3)).toEqual(['$CONTEXT', '$NAMESPACE', '$NAME']);
  }
  const keys = Object.entries(plugins).map(([, { scopes, args }]) => `${scopes[0]} ${args[1]?.includes('summary')}`);
  expect(new Set(keys).size).toBe(keys.length);
});
