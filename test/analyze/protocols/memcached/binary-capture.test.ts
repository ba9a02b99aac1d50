// python-binary-memcached with a real memcached. This client leaves the number of all its requests at 0.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memcached } from '../../../../src/analyze/protocols/memcached/index.ts';
import type { AnalysisEvent } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { sameHoweverCut } from '../hardiness.ts';
import { play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const CAPTURE = join(import.meta.dirname, '../captures/memcached-binary.pcap');
const ALL = conversations(CAPTURE);

test('commands and their answers; quiet reads are told apart by their keys', async () => {
  expect(await briefOfFile(CAPTURE)).toMatchSnapshot();
});

test('the commands that tshark sees, as often; no value is shown', async () => {
  const rows = tsharkFields(CAPTURE, 'memcache', ['memcache.magic', 'memcache.opcode']);
  if (rows === undefined) return;
  const asked = rows.flatMap(([magic = '', opcode = '']) => (magic.startsWith('128') ? opcode.split(',') : []));
  const { events } = await analyseFile(CAPTURE);
  const exchanges = events.filter(({ event }) => event.kind === 'exchange');
  // A quit has no exchange.
  expect(exchanges).toHaveLength(asked.filter((opcode) => opcode !== '7').length);
  expect(JSON.stringify(events)).not.toContain('hunter2');
});

test('cut anywhere the same, and with any step missing nothing is invented', () => {
  const paired = (event: AnalysisEvent) =>
    event.kind === 'exchange' && event.incomplete === undefined ? `${event.label} = ${event.status}` : '';
  for (const steps of ALL) {
    sameHoweverCut(memcached, steps, 4);
    const whole = new Set(play(memcached, steps).map(paired));
    for (let missing = 0; missing < steps.length; missing += 1) {
      const holed = steps.map(([side, what], index): Step => {
        return index === missing && what instanceof Uint8Array ? [side, { gap: what.length }] : [side, what];
      });
      // Whether a quiet command was answered is not known then.
      for (const said of play(memcached, holed)
        .map(paired)
        .filter((text) => !text.endsWith('noreply'))) {
        if (said !== '') expect([missing, said, whole.has(said)]).toEqual([missing, said, true]);
      }
    }
  }
});
