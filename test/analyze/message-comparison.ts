import type { MessageFrame } from '../oracle/tshark-traffic.ts';
import type { SeenEvent } from '../support/analysis.ts';
import { endpointsOf, firstFrames, pairOf } from './endpoints.ts';
import { SUBJECTS } from './message-subjects.ts';
import type { Compare } from './traffic-comparison.ts';

/** What messages say, endpoints by endpoints. */
export function compareMessages(frames: readonly MessageFrame[], events: readonly SeenEvent[], compare: Compare): void {
  const between = frames.map(endpointsOf);
  const first = firstFrames(frames);
  for (const { name, counted, tshark, ksnoop } of SUBJECTS) {
    const theirs = new Said();
    const ours = new Said();
    for (const [index, frame] of frames.entries()) theirs.add(between[index] ?? '', tshark(frame), frame.number);
    for (const { event, client, server } of events) ours.add(pairOf(client, server), ksnoop(event), 0);
    for (const endpoints of new Set([...theirs.endpoints, ...ours.endpoints])) {
      const said = theirs.of(endpoints);
      const { agreed, onlyTheirs, onlyOurs } = difference(said, ours.of(endpoints), counted);
      compare({ frame: 0 }, name, '', '', agreed);
      if (onlyTheirs.length + onlyOurs.length === 0) continue;
      const frame = said.find(({ word }) => word === onlyTheirs[0])?.frame ?? first.get(endpoints) ?? 0;
      compare({ frame }, name, `only: ${onlyTheirs.join('; ')}`, `only: ${onlyOurs.join('; ')}`, 0);
    }
  }
}

interface Word {
  readonly word: string;
  readonly frame: number;
}

/** What was said, by endpoints. */
class Said {
  readonly #words = new Map<string, Word[]>();

  get endpoints(): Iterable<string> {
    return this.#words.keys();
  }

  add(endpoints: string, words: readonly string[], frame: number): void {
    if (words.length === 0) return;
    const said = this.#words.get(endpoints) ?? [];
    this.#words.set(endpoints, said);
    for (const word of words) said.push({ word, frame });
  }

  of(endpoints: string): readonly Word[] {
    return this.#words.get(endpoints) ?? [];
  }
}

function difference(theirs: readonly Word[], ours: readonly Word[], counted: boolean) {
  const left = counted ? ours.map(({ word }) => word) : [...new Set(ours.map(({ word }) => word))];
  const words = theirs.map(({ word }) => word);
  const onlyTheirs: string[] = [];
  let agreed = 0;
  for (const word of counted ? words : new Set(words)) {
    const at = left.indexOf(word);
    if (at < 0) onlyTheirs.push(word);
    else {
      agreed += 1;
      left.splice(at, 1);
    }
  }
  return { agreed, onlyTheirs, onlyOurs: left };
}
