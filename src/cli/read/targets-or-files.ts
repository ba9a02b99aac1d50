import type { ExitCode } from '../../wire/errors.ts';
import type { CaptureExtras } from '../capture/command.ts';
import type { RawCaptureOptions } from '../capture/options.ts';

// Each loads its own code: files are read without that of the cluster.

/** One form of analysis of capture files. @param options as the capturing command takes them */
export async function analyseFiles(
  files: readonly string[],
  options: RawCaptureOptions & { readonly failOn?: string },
  output: string,
): Promise<ExitCode> {
  const [{ readCommand }, { readingOptions }] = await Promise.all([import('./command.ts'), import('./options.ts')]);
  return readCommand(files, { ...readingOptions(options), output });
}

/**
 * One form of analysis of targets while they are captured, with their clients: causes and a request's time begin there.
 * On this machine (--local) nobody knows the clients.
 */
export async function analyseTargets(
  targets: readonly string[],
  options: RawCaptureOptions,
  output: string,
  extras?: CaptureExtras,
): Promise<ExitCode> {
  const { captureCommand } = await import('../capture/command.ts');
  return captureCommand(targets, { ...options, output, ...(options.local === true ? {} : { clients: true }) }, extras);
}
