import { describe, expect, test } from 'vitest';
import { STATED_PERCENT } from './floors.ts';
import { NAMES, run, runMany } from './run.ts';

const RUNS = 150;
/** Of each other scenario. */
const SCENARIO_RUNS = 40;

test.each(NAMES)('%s: nothing is stated wrongly of conversations whose packets are missing', (name) => {
  const { wrong, whole, stated } = runMany(name, 1, RUNS);
  expect(wrong).toEqual([]);
  expect((100 * stated) / whole).toBeGreaterThan(STATED_PERCENT[name]);
});

describe('nothing is stated wrongly', () => {
  test.each(NAMES)('%s: where the network loses packets and they are sent again', (name) => {
    const { wrong, whole, stated } = runMany(name, 1, SCENARIO_RUNS, 'network');
    expect(wrong).toEqual([]);
    expect(stated).toBeGreaterThan(whole / 4);
  });

  test.each(NAMES)('%s: where only the beginning of each packet is kept', (name) => {
    const { wrong, stated } = runMany(name, 1, SCENARIO_RUNS, 'snaplen');
    expect(wrong).toEqual([]);
    expect(stated).toBeGreaterThan(0);
  });
});

test.each([
  ['mysql', 105_528, 'capture', 'answers that come right behind the next requests by chance, from the middle on'],
  ['memcached', 700_326, 'network', 'a request that one place has only as it was sent again, behind later ones'],
  ['http1', 700_035, 'network', 'the end of an answer is lost that lies between two requests'],
  [
    'rocketmq',
    50_479,
    'network',
    'a request sent again behind its answer, of which neither the first sending nor the answer was captured',
  ],
  ['mongodb', 50_565, 'network', 'the same, of which the capture begins with the second sending'],
  [
    'fastcgi',
    50_193,
    'network',
    'a request sent again long behind its answer, whose number a later one has that was not captured',
  ],
  ['tds', 50_740, 'network', 'an answer whose beginning is not recognised behind a hole, to a request sent since'],
  ['tds', 201_485, 'network', 'answers that came at once behind retransmitted bytes'],
  ['dnsUdp', 200_200, 'network', 'copies from a second place whose hashes lie together'],
  ['tns', 200_378, 'network', 'a capture that begins with a retransmission that was acknowledged before'],
  ['grpc', 500_001, 'network', 'an answer missing ahead of the first bytes of a server whose connection was under way'],
  ['ldap', 600_005, 'snaplen', 'an entry of a search of which only the length was captured'],
  ['mysql', 810_071, 'network', 'requests sent again that acknowledge an answer which was not captured'],
] as const)('%s, seed %i, %s: %s', (name, seed, scenario, _what) => {
  expect(run(name, seed, scenario).wrong).toEqual([]);
});
