import { expect, test } from 'vitest';
import { KeyLog } from '../../../src/analyze/protocols/tls/decrypt/key-log.ts';
import { loadKube } from '../../../src/capture/kube/config.ts';
import type { TargetChange } from '../../../src/capture/streams/target-change.ts';
import { PodKeyLogs } from '../../../src/run/capture/pod-key-logs.ts';
import type { AgentTarget } from '../../../src/wire/agent-target.ts';
import { channel, startApiServer } from '../../support/api-server.ts';

const pod = (name: string): AgentTarget => {
  return { key: name, kind: 'pod', namespace: 'shop', pod: name, uid: name, containers: [], hostNetwork: false };
};
const line = (number: number) => `CLIENT_RANDOM ${String(number).padStart(64, '0')} ${'ab'.repeat(48)}\n`;

test('keys come from the pods that are captured and from those that join, until they leave', async () => {
  const open = new Set<string>();
  const server = await startApiServer({
    onExec: (socket, request) => {
      const url = new URL(request.url ?? '', 'https://x');
      const name = url.pathname.split('/')[6] ?? '';
      open.add(name);
      socket.on('close', () => open.delete(name));
      // A line that is cut by the messages.
      const text = line(Number(name.slice(4)));
      socket.send(channel(1, text.slice(0, 40)));
      socket.send(channel(1, text.slice(40)));
      socket.on('message', () => socket.close(1000));
    },
  });
  const kube = await loadKube({ kubeconfig: server.kubeconfig() });
  const [keys, second] = [new KeyLog(), new KeyLog()];
  const notes: string[] = [];
  const logs = new PodKeyLogs(
    (cluster) => (cluster === 'east' ? kube : undefined),
    { file: { container: 'app', path: '/k' }, keys: [keys, second] },
    (text) => notes.push(text),
  );
  try {
    logs.add('east', { key: 'node', kind: 'host' });
    logs.add('west', pod('web-7'));
    logs.add('east', pod('web-1'));
    logs.add('east', pod('web-1'));
    const changes: TargetChange[] = [];
    let change: (change: TargetChange) => void = () => {};
    const follow = logs.with(async (emit) => {
      change = emit;
    });
    await follow((one) => changes.push(one), new AbortController().signal, Promise.resolve());
    const node = {
      cluster: 'east',
      node: 'node1',
      open: () => Promise.reject(new Error('not opened')),
      refresh: async () => [],
    };
    change({ type: 'added', node, target: pod('web-2'), label: 'shop/web-2', names: [] });
    await expect.poll(() => keys.size, { timeout: 30_000 }).toBe(2);
    expect(second.size).toBe(2);
    expect([...open].sort()).toEqual(['web-1', 'web-2']);
    change({ type: 'gone', key: 'web-1' });
    await expect.poll(() => [...open], { timeout: 30_000 }).toEqual(['web-2']);
    expect(changes.map(({ type }) => type)).toEqual(['added', 'gone']);
    await logs.close();
    await expect.poll(() => open.size, { timeout: 30_000 }).toBe(0);
    expect(notes).toEqual([]);
    expect(server.seen.filter((seen) => seen.includes('/exec')).length).toBe(2);
    // Nothing was seen of these connections: nothing of them would be written.
    expect([...keys.foundLines()]).toEqual([]);
  } finally {
    await logs.close();
    kube.close();
    await server.close();
  }
}, 120_000);
