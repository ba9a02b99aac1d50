import { expect, test } from 'vitest';
import { mayBeSeveral } from '../../../src/capture/targets/context-words.ts';

test.each(['a,b', 'prod-*', 'prod-?', '[ab]'])('%s may choose several contexts', (words) => {
  expect(mayBeSeveral(words)).toBe(true);
});

test.each([undefined, '', 'prod', 'arn:aws:eks:eu-west-1:1234:cluster/prod', 'admin@prod'])('%s is one', (words) => {
  expect(mayBeSeveral(words)).toBe(false);
});
