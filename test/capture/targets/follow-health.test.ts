import { expect, test } from 'vitest';
import { FollowHealth } from '../../../src/capture/targets/follow-health.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';

const LOST = new KsnoopError('API_ERROR', 'connection refused');

test('watches that break and come back together are noted once each', () => {
  const notes: string[] = [];
  const health = new FollowHealth((message) => notes.push(message));
  health.resumed('pods');
  expect(notes).toEqual([]);
  health.interrupted('pods', LOST);
  health.interrupted('services', LOST);
  health.interrupted('pods', LOST);
  expect(notes).toEqual(['changes of the targets cannot be followed at the moment: connection refused']);
  health.resumed('pods');
  expect(notes).toHaveLength(1);
  health.resumed('services');
  health.resumed('services');
  expect(notes.slice(1)).toEqual(['changes of the targets are followed again']);
  health.interrupted('pods', LOST);
  expect(notes).toHaveLength(3);
});
