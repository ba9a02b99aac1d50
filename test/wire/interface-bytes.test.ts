// Few compressed bytes describe interfaces of gigabytes.
import { expect, test } from 'vitest';
import { Merge } from '../../src/capture/streams/merge.ts';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { INTERFACE_BYTES_MAXIMUM } from '../../src/wire/limits.ts';
import { describe, header } from '../support/pcapng-sample.ts';

const LONG = 15_000;
const long = (index: number) => describe(`${'x'.repeat(LONG)}${index}`);
/** A description has the name twice. */
const PAST = INTERFACE_BYTES_MAXIMUM / (2 * LONG) + 1;
const REFUSED = expect.objectContaining({
  code: 'TOO_MANY_INTERFACES',
  message: "The descriptions of the capture's interfaces exceed 32 MiB.",
});

function framed() {
  let interfaces = 0;
  const framer = new CaptureFramer({
    interface: () => {
      interfaces += 1;
    },
    packet: () => {},
  });
  return { framer, interfaces: () => interfaces };
}

test('interfaces of a file are bounded by the bytes that describe them', () => {
  const { framer, interfaces } = framed();
  framer.push(header());
  const all = () => {
    for (let index = 0; index < PAST; index += 1) framer.push(long(index));
  };
  expect(all).toThrow(REFUSED);
  expect(interfaces()).toBeGreaterThan(1_000);
});

test('so are those of all sections, and of a series of files in which they have other names', () => {
  for (const next of ['section', 'file'] as const) {
    const { framer } = framed();
    framer.push(header());
    const all = () => {
      for (let index = 0; index < PAST; index += 1) {
        framer.push(long(index));
        if (index % 100 !== 99) continue;
        if (next === 'file') framer.nextFile(true);
        framer.push(header());
      }
    };
    expect(all).toThrow(REFUSED);
  }
});

test('interfaces that a series of files describes again and again are no more', () => {
  const { framer } = framed();
  for (let file = 0; file < 2 * PAST; file += 1) {
    framer.push(header());
    framer.push(long(0));
    framer.nextFile(true);
  }
  expect(framer.pending).toBe(0);
});

test('interfaces of agents are bounded alike', () => {
  const merge = new Merge({ addInterface: () => {}, write: () => {} });
  const sources = [merge.addSource('one'), merge.addSource('two')];
  for (const source of sources) source.push(header());
  const all = () => {
    for (let index = 0; index < PAST; index += 1) sources[index % 2]?.push(long(index));
  };
  expect(all).toThrow(REFUSED);
});
