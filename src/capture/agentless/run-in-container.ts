import { openExec } from '../kube/exec.ts';
import type { Kube } from '../kube/kube.ts';
import { PROBE_WORDS } from '../limits.ts';

export interface ContainerPlace {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

export interface Ran {
  /** Exit code; 126 for a program that the container does not have. */
  readonly code: number;
  /** The first PROBE_WORDS characters of stdout, and the last of stderr. */
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Run a command in a container to its end.
 * @param input what its stdin gets; left out: it has none
 * @throws KsnoopError as openExec does, and STREAM_LOST
 */
export async function runInContainer(
  kube: Kube,
  place: ContainerPlace,
  { command, input, signal }: { command: readonly string[]; input?: Uint8Array; signal: AbortSignal },
): Promise<Ran> {
  let stdout = '';
  let stderr = '';
  const stream = await openExec(
    kube,
    {
      ...place,
      command,
      stdin: input !== undefined,
      onStdout: (bytes) => {
        if (stdout.length < PROBE_WORDS) stdout = (stdout + Buffer.from(bytes).toString('utf8')).slice(0, PROBE_WORDS);
      },
      onStderr: (bytes) => {
        stderr = (stderr + Buffer.from(bytes).toString('utf8')).slice(-PROBE_WORDS);
      },
    },
    signal,
  );
  if (input !== undefined) {
    for (let start = 0; start < input.length; start += UPLOAD_PIECE) {
      await stream.write(input.subarray(start, start + UPLOAD_PIECE));
    }
    stream.endStdin();
  }
  const end = await stream.ended;
  if (end.kind === 'lost') throw end.error;
  return { code: end.kind === 'exited' ? end.code : NOT_RUN, stdout, stderr };
}

/** One message of the exec's websocket. */
const UPLOAD_PIECE = 32 * 1024;

/** As a shell has it for what cannot be run. */
const NOT_RUN = 126;
