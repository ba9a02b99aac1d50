import { AGENT_NOT_USED, dryRun } from '../../capture/plan/dry-run.ts';
import { chosenContexts } from '../../capture/targets/contexts.ts';
import { openQuery } from '../../run/capture/find-targets.ts';
import { wantsColour } from '../../view/colour.ts';
import { jsonLine } from '../../view/json-line.ts';
import { dryRunLines } from '../../view/target-tree.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { type Logger, reportError } from '../logger.ts';
import type { CaptureCommand } from './options.ts';
import { pickOnTerminal } from './pick-target.ts';

/**
 * `ksnoop TARGET… --dry-run`: prints on stdout what would be captured, and on stderr what would not.
 * Of several clusters one after the other.
 * @returns what the capture would end with as far as that is known now: 1 when a permission is missing, 3 without a target,
 * 4 when some targets would fail, or those of some clusters
 */
export async function dryRunCommand(command: CaptureCommand, log: Logger, signal: AbortSignal): Promise<ExitCode> {
  const contexts = chosenContexts(command.capture) ?? [command.capture.context];
  if (contexts.length === 1) return dryRunIn(contexts[0], command, log, signal);
  const codes: ExitCode[] = [];
  for (const context of contexts) {
    try {
      codes.push(await dryRunIn(context, command, log, signal));
    } catch (thrown) {
      signal.throwIfAborted();
      if (!(thrown instanceof KsnoopError)) throw thrown;
      reportError(thrown, log.warn);
      codes.push(thrown.exit);
    }
  }
  const [first = EXIT.done] = codes;
  return codes.every((code) => code === first) ? first : EXIT.partial;
}

async function dryRunIn(
  context: string | undefined,
  { capture, dryRun: form }: CaptureCommand,
  log: Logger,
  signal: AbortSignal,
): Promise<ExitCode> {
  const config = { ...capture, context };
  const { kube, query } = await openQuery(config, signal, pickOnTerminal);
  try {
    const run = await dryRun(
      kube,
      query,
      { maximum: config.maxTargets, agentless: config.transport.agentless?.mode },
      signal,
    );
    for (const note of run.notes) log.warn(note);
    for (const { error } of run.refused) reportError(error, log.warn);
    const json = {
      ...run,
      refused: run.refused.map(({ label, error: { code, message, hint } }) => ({ label, code, message, hint })),
    };
    const width = process.stdout.isTTY === true ? process.stdout.columns : undefined;
    const lines =
      form === 'json' ? [jsonLine(json)] : dryRunLines(run, width, wantsColour(process.stdout, process.env));
    await new Promise((resolve) => process.stdout.write(`${lines.join('\n')}\n`, resolve));
    if (run.targets.length === 0) return run.refused[0]?.error.exit ?? EXIT.noTarget;
    if (run.permissions.some(({ required, allowed }) => required && !allowed)) return EXIT.failed;
    const troubled = run.targets.filter(
      ({ trouble, agent }) => trouble !== '' || (agent !== 'ready' && agent !== AGENT_NOT_USED),
    ).length;
    if (troubled === run.targets.length)
      return run.targets.every(({ trouble }) => trouble !== '') ? EXIT.noTarget : EXIT.failed;
    return troubled > 0 || run.refused.length > 0 ? EXIT.partial : EXIT.done;
  } finally {
    kube.close();
  }
}
