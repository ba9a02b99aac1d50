import { openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { OUTPUT_NAMES, OUTPUTS, outputKind } from '../../../src/run/outputs/index.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';
import { PLAIN } from './plain.ts';

/** Of forms that need one. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  'custom-columns': 'A:.a',
  jsonpath: '{.a}',
  template: '{{.a}}',
  stream: '0',
};

test('every output is found by its name, and nothing else is', () => {
  expect(OUTPUT_NAMES).toEqual(expect.arrayContaining(['pcapng', 'pcap', 'text']));
  for (const kind of OUTPUTS) expect(outputKind(kind.name)).toBe(kind);
  for (const name of ['', 'PCAP', 'constructor', 'pcap ']) expect(outputKind(name)).toBeUndefined();
});

test.each(OUTPUT_NAMES)('%s tells when its disk is full', async (name) => {
  const writer = new ByteWriter(openSync('/dev/full', 'w'), () => {});
  const kind = outputKind(name);
  const create = kind?.binary === false ? await kind.load() : kind?.create;
  const output = create?.({ ...PLAIN, writer, argument: ARGUMENTS[name] });
  expect(output).toMatchObject({ pending: 0, ended: false });
  writer.push(Buffer.from('x'), 0, 1);
  expect(output?.pending).toBe(1);
  output?.flush();
  await writer.drained();
  expect(output?.ended).toBe(true);
  await output?.close('output-ended');
  writer.close();
});
