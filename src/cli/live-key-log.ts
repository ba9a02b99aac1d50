import { parsePodKeyLog } from '../run/keys/pod-key-log.ts';
import { usage } from './usage.ts';

/**
 * `--keylog` of a capture: a file on this machine, or one in each pod.
 * @param local the capture is of this machine
 * @throws KsnoopError USAGE (exit 2)
 */
export function checkLiveKeyLog(keylog: string | undefined, local: boolean): void {
  if (keylog === undefined) return;
  if (keylog === '' || keylog === '-') throw usage('--keylog takes the name of a file, or exec:CONTAINER:PATH.');
  if (parsePodKeyLog(keylog) !== undefined && local) {
    throw usage('--keylog exec: reads a file in pods, and --local has none.', 'Name the file: --keylog FILE');
  }
}
