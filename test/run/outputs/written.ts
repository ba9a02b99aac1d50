import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Merge } from '../../../src/capture/streams/merge.ts';
import type { MergeSource } from '../../../src/capture/streams/merge-source.ts';
import type { Output, OutputKind } from '../../../src/run/outputs/output.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';
import { PLAIN } from './plain.ts';

/** Let an agent's stream pass through an output into a file. @returns the file's bytes, and the output after its end */
export async function written(
  kind: OutputKind,
  send: (source: MergeSource, output: Output, merge: Merge) => void,
  options: { reason?: string; colour?: boolean } = {},
): Promise<{ bytes: Buffer; output: Output }> {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-output-'));
  try {
    const path = join(directory, 'written');
    const writer = new ByteWriter(openSync(path, 'w'), () => {});
    const create = kind.binary ? kind.create : await kind.load();
    const output = create({ ...PLAIN, writer, colour: options.colour === true });
    const merge = new Merge(output);
    send(merge.addSource('node'), output, merge);
    merge.flush();
    await output.close(options.reason ?? 'user');
    writer.close();
    return { bytes: readFileSync(path), output };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Ethernet, IPv4 10.0.0.1 to 10.0.0.2, UDP 1000 to 2000, four bytes. */
export const UDP_FRAME = Buffer.from(
  '0200000000020200000000010800450000200000400040110000' + '0a0000010a000002' + '03e807d0000c0000' + '61626364',
  'hex',
);

export const TIME = 1_700_000_000_123_456_789n;
