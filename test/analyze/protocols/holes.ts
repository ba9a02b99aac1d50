import { expect } from 'vitest';
import type { StreamProtocol } from '../../../src/analyze/protocols/protocol.ts';
import type { AnalysisEvent, Exchange } from '../../../src/analyze/record/event.ts';
import { play, type Step } from './play.ts';

const isExchange = (event: AnalysisEvent): event is Exchange => event.kind === 'exchange';
const stated = (event: Exchange) => `${event.label} = ${event.status}`;

/**
 * A serial client's conversation with any one step missing, whole or in part: every pair that is stated without a mark is
 * one of the whole conversation's; and once the client has shown that it waits, all but the exchanges around the hole are
 * stated.
 * @param lost most exchanges that may be marked or missing for one hole
 * @param shown steps that show that the client waits
 */
export function resumesAfterHoles(protocol: StreamProtocol, steps: readonly Step[], lost: number, shown: number): void {
  const whole = play(protocol, steps).filter(isExchange);
  const known = new Set(whole.map(stated));
  for (let missing = 0; missing < steps.length; missing += 1) {
    for (const part of ['all', 'beginning', 'end'] as const) {
      const holed = steps.flatMap((step, index) => (index === missing ? withHole(step, part) : [step]));
      const events = play(protocol, holed).filter(isExchange);
      const unmarked = events.filter(({ incomplete }) => incomplete === undefined);
      const about = `step ${missing}, ${part}`;
      for (const event of unmarked) {
        // What a prepared statement was is lost with its preparation.
        if (!event.label.includes('not seen')) expect(known, about).toContain(stated(event));
      }
      if (missing >= shown) expect(whole.length - unmarked.length, about).toBeLessThanOrEqual(lost);
    }
  }
}

function withHole(step: Step, part: 'all' | 'beginning' | 'end'): Step[] {
  const [side, what] = step;
  if (!(what instanceof Uint8Array)) return [step];
  const half = what.length >> 1;
  if (part === 'all' || half === 0) return [[side, { gap: what.length }]];
  if (part === 'beginning')
    return [
      [side, { gap: half }],
      [side, what.subarray(half)],
    ];
  return [
    [side, what.subarray(0, half)],
    [side, { gap: what.length - half }],
  ];
}
