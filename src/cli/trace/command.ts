import { JOINING_WINDOW_MS } from '../../capture/limits.ts';
import { TRACE_FORMS } from '../../view/trace-forms.ts';
import type { ExitCode } from '../../wire/errors.ts';
import type { RawCaptureOptions } from '../capture/options.ts';
import { captureFiles } from '../capture-files.ts';
import { analyseFiles, analyseTargets } from '../read/targets-or-files.ts';
import { usage } from '../usage.ts';

export interface TraceOptions extends RawCaptureOptions {
  /** One of TRACE_FORMS. */
  readonly output?: string;
  /** Also the interfaces of the nodes that captured pods are on. */
  readonly nodes?: boolean;
}

/** @throws KsnoopError USAGE where the flags do not go together */
export async function traceCommand(words: readonly string[], options: TraceOptions): Promise<ExitCode> {
  const { output = 'lines', nodes = false, write, ...others } = options;
  if (!TRACE_FORMS.some((form) => form === output)) {
    throw usage(`-o takes ${TRACE_FORMS.join(' or ')}, not "${output}".`, 'For programs: --json.');
  }
  const form = output === 'lines' ? 'trace' : `trace=${output}`;
  if (nodes && options.local === true) throw usage('--nodes needs the cluster, which --local does not use.');
  if (!captureFiles(words)) {
    if (write === '-') throw usage('-w keeps the packets in a file; stdout gets the lines.');
    const { connectionFacts } = await import('../../run/diagnose/connections.ts');
    return analyseTargets(words, { ...others, ownNodes: nodes }, form, {
      lookup: connectionFacts,
      mergeWindowMs: JOINING_WINDOW_MS,
      keep: write,
    });
  }
  if (nodes) throw usage('--nodes captures interfaces of nodes; it has no meaning for files.');
  if (options.depth !== undefined) throw usage('--depth adds targets to a capture; it has no meaning for files.');
  if (write !== undefined) throw usage('-w keeps the packets of a capture; it has no meaning for files.');
  return analyseFiles(words, others, form);
}
