/** `port-forward-cat.ts NAMESPACE POD PORT`: what a port of a pod says, by ksnoop's own port-forward, to stdout. */
import { loadKube } from '../../../src/capture/kube/config.ts';
import { openPortForward } from '../../../src/capture/kube/port-forward.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';

const [namespace = '', pod = '', port = ''] = process.argv.slice(2);
const PENDING = 4 * 1024 * 1024;

const connection = await openPortForward(await loadKube(), { namespace, pod, port: Number(port) });
const writer = new ByteWriter(1, () => {
  if (connection.isPaused() && writer.pending < PENDING / 2) connection.resume();
});
connection.on('data', (bytes: Buffer) => {
  writer.push(bytes, 0, bytes.length);
  if (writer.pending > PENDING) connection.pause();
});
await new Promise((resolve) => connection.once('close', resolve));
await writer.drained();
process.exit(0);
