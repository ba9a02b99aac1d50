import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { AnalysisSession } from '../../../src/analyze/engine/session.ts';
import { Collected } from '../../../src/run/diff/collect.ts';
import { plainSettings } from '../../support/analysis-session.ts';

const CAPTURE = join(import.meta.dirname, '../analysis/captures/wrong-service.pcapng');

async function collect(pods?: readonly string[]) {
  const collected = new Collected(pods);
  const session = new AnalysisSession(
    await collected.form.load(),
    plainSettings({
      line: () => {
        throw new Error('it prints nothing');
      },
    }),
  );
  session.push(readFileSync(CAPTURE));
  session.end();
  return collected;
}

const sides = async (pods?: readonly string[]) => (await collect(pods)).sides();

it('knows the pods that the capture names', async () => {
  const pods = (await collect()).pods();
  expect(pods).toContain('shop/web-7997b97dcc-2294j');
  expect(pods.every((pod) => /^[^/]+\/[^/]+$/.test(pod))).toBe(true);
});

it('collects everything of a capture', async () => {
  const [side] = await sides();
  expect(side?.totals).toMatchObject({ exchanges: 66, connections: 35 });
  expect(side?.findings.length).toBeGreaterThan(0);
});

it('collects for each pod what it serves', async () => {
  const [one, two] = await sides(['shop/web-7997b97dcc-4wwvv', 'shop/web-7997b97dcc-2294j']);
  expect(one?.totals).toMatchObject({ exchanges: 33, connections: 2 });
  expect(two?.totals).toMatchObject({ exchanges: 0, connections: 0 });
});
