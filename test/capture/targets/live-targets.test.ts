import { expect, test } from 'vitest';
import { podView } from '../../../src/capture/kube/pod.ts';
import type { TargetEvent } from '../../../src/capture/targets/followed-targets.ts';
import { INITIAL, LiveTargets } from '../../../src/capture/targets/live-targets.ts';
import { podObject } from '../../support/object-server.ts';

const node = (name: string) => ({ uid: `uid-${name}`, name });
const pod = (name: string) => {
  const object = podObject(name, { namespace: 'shop', ip: '10.0.0.5' });
  return podView({ ...object, metadata: { ...object.metadata, uid: `uid-${name}` } });
};

/** The targets, and what they emitted since it was asked last. */
function targets(maximum: number, pods: readonly string[] = [], nodes: readonly string[] = []) {
  const events: TargetEvent[] = [];
  const initial = { pods: pods.map((name) => ({ pod: pod(name), via: [] })), nodes: nodes.map(node) };
  const live = new LiveTargets(initial, maximum, (event) => void events.push(event));
  const emitted = () =>
    events.splice(0).map((event) => {
      if (event.type === 'added') return `added ${event.pod.name}`;
      if (event.type === 'node-added') return `added node/${event.name}`;
      if (event.type === 'gone') return `gone ${event.label}`;
      return event.type === 'note' ? event.message : event.type;
    });
  return { live, emitted };
}

test('nodes that joined are added once, and those that left are gone once', () => {
  const { live, emitted } = targets(9, [], ['a', 'b']);
  live.setNodes([node('a'), node('b')]);
  expect(emitted()).toEqual([]);
  live.setNodes([node('b'), node('c')]);
  expect(emitted()).toEqual(['gone node/a', 'added node/c']);
  live.setNodes([node('b'), node('c')]);
  expect(emitted()).toEqual([]);
  live.setNodes([]);
  expect(emitted()).toEqual(['gone node/b', 'gone node/c']);
});

test('of nodes that join together no more are added than --max-targets allows, and a note is written once', () => {
  const { live, emitted } = targets(3, ['web']);
  const note = 'node/c is not captured: 3 targets are, and --max-targets allows no more';
  live.setNodes(['a', 'b', 'c', 'd'].map(node));
  expect(emitted()).toEqual(['added node/a', 'added node/b', note]);
  live.setNodes(['a', 'b', 'c', 'd'].map(node));
  expect(emitted()).toEqual([]);
  // The place of one that left.
  live.setNodes(['b', 'c', 'd'].map(node));
  expect(emitted()).toEqual(['gone node/a', 'added node/c', note.replace('/c', '/d')]);
});

test('a pod is a target as long as one holds it', () => {
  const { live, emitted } = targets(2, ['web']);
  live.hold('watch', pod('web'), []);
  live.release(INITIAL, pod('web').uid);
  expect(emitted()).toEqual([]);
  live.hold('watch', pod('api'), []);
  live.hold('watch', pod('cron'), []);
  expect(emitted()).toEqual([
    'added api',
    'shop/cron is not captured: 2 targets are, and --max-targets allows no more',
  ]);
  live.release('another watch', pod('api').uid);
  expect(emitted()).toEqual([]);
  live.releaseAll('watch');
  expect(emitted()).toEqual(['gone shop/web', 'gone shop/api']);
  live.hold('watch', pod('cron'), []);
  live.hold('watch', pod('batch'), []);
  live.hold('watch', pod('late'), []);
  // Another note: there was room meanwhile.
  const note = 'shop/late is not captured: 2 targets are, and --max-targets allows no more';
  expect(emitted()).toEqual(['added cron', 'added batch', note]);
});

test('a pod that ended, or whose containers are others', () => {
  const { live, emitted } = targets(2, ['web']);
  const web = pod('web');
  const other = { ...web, containers: web.containers.map((one) => ({ ...one, id: 'containerd://new' })) };
  live.hold('watch', other, []);
  live.hold('watch', other, []);
  expect(emitted()).toEqual(['added web']);
  live.hold('watch', { ...web, phase: 'Succeeded' }, []);
  live.hold('watch', { ...web, phase: 'Succeeded' }, []);
  expect(emitted()).toEqual(['gone shop/web']);
});
