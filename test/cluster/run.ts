import { spawn } from 'node:child_process';
import { ClusterError } from './cluster-error.ts';

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: number;
}

/** Runs a program to its end and gives what it said; only a program that cannot be started throws. */
export function attempt(
  argv: readonly string[],
  options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const [program = '', ...args] = argv;
  return new Promise<Outcome>((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: options.env ?? process.env,
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    child.once('error', (error) =>
      reject(new ClusterError(`${program} could not be started: ${error.message}.`, { cause: error })),
    );
    child.once('close', (code) =>
      resolve({ stdout: Buffer.concat(out).toString(), stderr: Buffer.concat(err).toString(), code: code ?? 137 }),
    );
  });
}

/** Runs a program that has to succeed and gives its stdout. */
export async function run(
  argv: readonly string[],
  options: { input?: string; cwd?: string; env?: NodeJS.ProcessEnv } = {},
) {
  const { stdout, stderr, code } = await attempt(argv, options);
  if (code !== 0) {
    throw new ClusterError(`\`${argv.join(' ')}\` ended with code ${code}: ${stderr.trim()}`);
  }
  return stdout;
}

const started = performance.now();

/** One line of progress on stderr, with the seconds since this command began. */
export function say(text: string): void {
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`[${seconds.padStart(5)} s] ${text}\n`);
}

export const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
