import { BLOCK } from '../../../src/wire/pcapng.ts';
import { BlockFramer } from '../../../src/wire/pcapng-read.ts';
import { KsnoopProcess } from '../../support/ksnoop-process.ts';

/**
 * Captures until the first packet comes out of ksnoop's stdout.
 * @param words ksnoop's arguments
 * @returns milliseconds from its start to the packet
 * @throws Error when it ends without one
 */
export async function firstPacketTime(words: readonly string[], kubeconfig: string): Promise<number> {
  const started = performance.now();
  const ksnoop = new KsnoopProcess([...words], kubeconfig, 'pipe');
  await new Promise<void>((resolve, reject) => {
    const framer = new BlockFramer(({ type }) => type === BLOCK.enhancedPacket && resolve());
    ksnoop.child.stdout?.on('data', (chunk: Buffer) => framer.push(chunk));
    ksnoop.child.once('close', () => reject(new Error(`no packet: ${ksnoop.stderr}`)));
  });
  const took = performance.now() - started;
  await ksnoop.stop();
  return took;
}
