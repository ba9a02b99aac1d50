import { FILE_WINDOW_MS, MERGE_WINDOW_LIMIT_MS } from '../../capture/limits.ts';
import type { AnalysisForm } from '../../run/analysis/form.ts';
import type { PickTargets } from '../../run/capture/find-targets.ts';
import { planCapture } from '../../run/capture/plan.ts';
import type { OutputConfig } from '../../run/outputs/config.ts';
import { analysedKind } from '../../run/outputs/index.ts';
import type { ExitCode } from '../../wire/errors.ts';
import { type Logger, logger } from '../logger.ts';
import { isTerminal } from '../terminal.ts';
import { interruptible } from './interruptible.ts';
import { type CaptureCommand, completeCapture, type RawCaptureOptions } from './options.ts';
import type { Again, ConnectionLookup } from './planned-capture.ts';

/** What other commands that capture add to it. */
export interface CaptureExtras {
  readonly lookup?: ConnectionLookup | undefined;
  /** How long a packet waits for an earlier one of another interface; undefined: as every capture does. */
  readonly mergeWindowMs?: number | undefined;
  /** A file that the packets are kept in, besides the output's own. */
  readonly keep?: string | undefined;
  /** A form of analysis that no `-o` names, in place of the output. */
  readonly form?: AnalysisForm | undefined;
}

/** `ksnoop [capture] TARGET…`: everything between the command line and the exit code. */
export async function captureCommand(
  targets: readonly string[],
  raw: RawCaptureOptions,
  extras: CaptureExtras = {},
): Promise<ExitCode> {
  const canAsk = isTerminal('stdin') && isTerminal('stderr');
  const command = completeCapture(targets, raw, { stdoutIsTerminal: isTerminal('stdout'), canAsk });
  const log = logger(command);
  if (command.dryRun === undefined) return capture(command, log, canAsk, { ...extras, force: raw.force === true });
  const { dryRunCommand } = await import('./dry-run.ts');
  return interruptible((signal) => dryRunCommand(command, log, signal));
}

async function capture(
  command: CaptureCommand,
  log: Logger,
  canAsk: boolean,
  { lookup, mergeWindowMs: windowMs, keep: path, form, force }: CaptureExtras & { readonly force: boolean },
): Promise<ExitCode> {
  const chosen = form === undefined ? command.output : { ...command.output, output: analysedKind(form) };
  const output = await withTyped(chosen);
  // Lines on a screen are to come at once; packets, and traces, which wait anyway, rather in order.
  const { binary } = output.output;
  const mergeWindowLimitMs = binary || windowMs !== undefined ? MERGE_WINDOW_LIMIT_MS : undefined;
  const mergeWindowMs = binary && output.sink.kind === 'file' ? FILE_WINDOW_MS : windowMs;
  const config = { ...command.capture, mergeWindowMs, mergeWindowLimitMs };
  const keep = path === undefined ? undefined : { path, force };
  // Commands with a form, a file or a lookup of their own have no --edge: these are made of the packets.
  const chosenEdge = form === undefined && keep === undefined && lookup === undefined && command.edge;
  const { binaryByDefault, strict } = command;
  const attempt = (again?: Again) =>
    interruptible(async (signal, stoppable) => {
      const plan = await planCapture(config, signal, { pick: canAsk ? pick : undefined, asked: loadRest });
      const { capturePlanned } = await import('./planned-capture.ts');
      const edge = again === undefined ? chosenEdge : again === 'on nodes';
      const planned = { config, output, keep, lookup, edge, again, binaryByDefault, strict };
      return capturePlanned(plan, planned, signal, { log, stoppable });
    });
  let outcome = await attempt();
  while (typeof outcome !== 'number') outcome = await attempt(outcome);
  return outcome;
}

/** Load what runs a capture while the API server answers: both take as long. An error is that of who needs it. */
function loadRest(): void {
  import('./planned-capture.ts').catch(() => {});
}

const pick: PickTargets = async (kube, namespace, signal) => {
  const { pickOnTerminal } = await import('./pick-target.ts');
  return pickOnTerminal(kube, namespace, signal);
};

/** With the command as it was typed, for a report. Packets as they are show none: they start without the code of the masks. */
async function withTyped(output: OutputConfig): Promise<OutputConfig> {
  if (output.output.binary) return output;
  const { typedCommand } = await import('../typed-command.ts');
  return { ...output, command: () => typedCommand(process.argv.slice(2), output.showSecrets) };
}
