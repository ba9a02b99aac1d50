/** `exec-cat.ts NAMESPACE POD CONTAINER COMMAND…`: kubectl exec's work done by ksnoop's own transport, to stdout. */
import { loadKube } from '../../../src/capture/kube/config.ts';
import { openExec } from '../../../src/capture/kube/exec.ts';
import { ByteWriter } from '../../../src/run/sink/byte-writer.ts';

const [namespace = '', pod = '', container = '', ...command] = process.argv.slice(2);
const PENDING = 4 * 1024 * 1024;

const writer = new ByteWriter(1, () => {
  if (stream.paused && writer.pending < PENDING / 2) stream.resume();
});
const stream = await openExec(await loadKube(), {
  namespace,
  pod,
  container,
  command,
  stdin: false,
  onStdout: (bytes) => {
    writer.push(bytes, 0, bytes.length);
    if (!stream.paused && writer.pending > PENDING) stream.pause();
  },
  onStderr: (bytes) => void process.stderr.write(bytes),
});
const end = await stream.ended;
await writer.drained();
process.exit(end.kind === 'exited' ? end.code : 1);
