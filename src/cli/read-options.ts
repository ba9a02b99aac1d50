import { ANALYSIS_OUTPUT_NAMES, analysisOutput } from './analysis/index.ts';
import type { AnalysisOutputKind } from './analysis/output.ts';
import { usage } from './usage.ts';

/** What commander hands over for `ksnoop read`, before it is believed. */
export interface RawReadOptions {
  readonly output?: string;
  readonly json?: boolean;
  readonly where?: string;
  readonly showSecrets?: boolean;
  readonly follow?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** A reading as it will be done: complete, validated, never changed. */
export interface ReadConfig {
  /** `-` for stdin. */
  readonly path: string;
  readonly output: AnalysisOutputKind;
  readonly json: boolean;
  readonly where: string | undefined;
  readonly showSecrets: boolean;
  readonly follow: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/**
 * Complete and validate what the user typed.
 * @param stdinIsTerminal nobody pipes a capture in
 * @throws KsnoopError USAGE (exit 2), one sentence each
 */
export function completeRead(path: string | undefined, raw: RawReadOptions, stdinIsTerminal: boolean): ReadConfig {
  if (path === undefined || (path === '-' && stdinIsTerminal)) {
    throw usage('There is no capture to read.', 'Name a file, or - for stdin: ksnoop read incident.pcapng');
  }
  const name = raw.output ?? 'text';
  const output = analysisOutput(name);
  if (output === undefined) {
    throw usage(`There is no output "${name}".`, `There are: ${ANALYSIS_OUTPUT_NAMES.join(', ')}.`);
  }
  if (raw.json === true && !output.json) {
    const withJson = 'summary, flows and packets have one; the whole story is -o json';
    throw usage(`The ${name} output has no JSON form.`, `${withJson}.`);
  }
  return {
    path,
    output,
    json: raw.json === true,
    where: raw.where,
    showSecrets: raw.showSecrets === true,
    follow: raw.follow === true,
    quiet: raw.quiet === true,
    verbose: raw.verbose === true,
  };
}
