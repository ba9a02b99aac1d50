import { expect } from 'vitest';
import type { StreamProtocol } from '../../../src/analyze/protocols/protocol.ts';
import type { AnalysisEvent } from '../../../src/analyze/record/event.ts';
import { Random } from '../../support/random.ts';
import { play, playCut, type Step } from './play.ts';

/** Every cutting of a conversation gives the same events, with and without detail. @returns those with detail */
export function sameHoweverCut(protocol: StreamProtocol, steps: readonly Step[], cuttings = 6): AnalysisEvent[] {
  for (const detail of [true, false]) {
    const [whole, ...cut] = playCut(protocol, steps, { detail }, cuttings);
    for (const events of cut) expect(events).toEqual(whole);
  }
  return play(protocol, steps);
}

/** Conversations with bytes changed, steps lost, turned about or cut off: nothing is thrown, and cutting changes nothing. */
export function survivesMutations(protocol: StreamProtocol, all: readonly (readonly Step[])[], rounds: number): void {
  for (let seed = 1; seed <= rounds; seed += 1) {
    const random = new Random(seed);
    const steps = mutated(all[random.below(all.length)] ?? [], random);
    const whole = play(protocol, steps);
    const sizes = new Random(seed);
    expect(play(protocol, steps, { portion: () => 1 + sizes.below(40) })).toEqual(whole);
    for (const event of whole) expect(event.label).not.toMatch(/[\n\t]/);
  }
}

function mutated(steps: readonly Step[], random: Random): Step[] {
  const out: Step[] = [];
  for (const [side, what] of steps) {
    const turn = random.below(12);
    if (!(what instanceof Uint8Array)) out.push([side, what]);
    else if (turn === 0) out.push([side, { gap: what.length }]);
    else if (turn === 1) out.push([side === 0 ? 1 : 0, what]);
    else if (turn === 2) out.push([side, what.subarray(0, random.below(what.length + 1))]);
    else if (turn === 3) {
      const cut = random.below(what.length + 1);
      out.push([side, { gap: Math.max(1, cut) }], [side, what.subarray(cut)]);
    } else if (turn < 7) {
      const changed = Uint8Array.from(what);
      for (let change = 1 + random.below(4); change > 0; change -= 1) {
        changed[random.below(changed.length)] = random.below(3) === 0 ? 0xff : random.below(256);
      }
      out.push([side, changed]);
    } else if (turn === 7) {
      out.push([side, Uint8Array.from({ length: random.below(400) }, () => random.below(256))]);
    } else out.push([side, what]);
  }
  return out;
}

/** Random bytes are not taken for the protocol's, less than once in 10⁵. */
export function likesNoNoise(protocol: StreamProtocol, rounds: number): void {
  const random = new Random(7);
  const bytes = new Uint8Array(64);
  let liked = 0;
  for (let round = 0; round < rounds; round += 1) {
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = random.below(256);
    const likeness = protocol.probe(bytes, 0, bytes.length);
    if (likeness === 'client' || likeness === 'server') liked += 1;
  }
  expect(liked).toBeLessThanOrEqual(rounds / 100_000);
}

/**
 * With any one step missing, nothing is said that was not said of the whole.
 * @param ofWhole what is compared of an event
 * @returns the share of what was said of the whole that is said nonetheless
 */
export function inventsNothing(
  protocol: StreamProtocol,
  steps: readonly Step[],
  ofWhole: (event: AnalysisEvent) => string,
): number {
  const known = play(protocol, steps).map(ofWhole);
  let said = 0;
  for (let missing = 0; missing < steps.length; missing += 1) {
    const holed = steps.map(([side, what], index): Step => {
      return index === missing && what instanceof Uint8Array ? [side, { gap: what.length }] : [side, what];
    });
    for (const event of play(protocol, holed)) {
      if (event.kind === 'event' && event.code === 'PROTOCOL_LOST') continue;
      // Whose request is missing has nothing of it.
      if (event.kind === 'exchange' && event.incomplete === 'request not seen') continue;
      expect(known).toContain(ofWhole(event));
      said += 1;
    }
  }
  return said / (known.length * steps.length);
}
