// Whether a capture of ksnoop's was cut: its start marker is there and its end marker is not.
import { expect, test } from 'vitest';
import { CaptureFramer } from '../../src/wire/capture-read.ts';
import { startMarker } from '../../src/wire/pcapng-write.ts';
import { describe, end, header, packet } from '../support/pcapng-sample.ts';

const section = (...marks: Uint8Array[]) => [header(), describe('a'), packet(0, 1n, new Uint8Array(8)), ...marks];

function framed(...blocks: Uint8Array[]): CaptureFramer {
  const framer = new CaptureFramer({ interface: () => {}, packet: () => {} });
  for (const block of blocks) framer.push(block);
  return framer;
}

test('a capture with both marks, or of another program, is whole', () => {
  expect(framed().cut).toBe(false);
  expect(framed(...section()).cut).toBe(false);
  expect(framed(...section(startMarker(), end())).cut).toBe(false);
  // An editor may keep the second one alone.
  expect(framed(...section(end())).cut).toBe(false);
});

test('one with the first mark alone is cut, whichever section it is', () => {
  expect(framed(...section(startMarker())).cut).toBe(true);
  expect(framed(...section(startMarker()), ...section(startMarker(), end())).cut).toBe(true);
  expect(framed(...section(startMarker(), end()), ...section(startMarker())).cut).toBe(true);
  expect(framed(...section(startMarker(), end()), ...section()).cut).toBe(false);
});

test('another file begins anew', () => {
  const framer = framed(...section(startMarker()));
  framer.nextFile(true);
  expect(framer.cut).toBe(false);
  for (const block of section(startMarker(), end())) framer.push(block);
  expect(framer.cut).toBe(false);
});
