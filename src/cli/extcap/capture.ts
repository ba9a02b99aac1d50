import type { Writable } from 'node:stream';
import { MERGE_WINDOW_LIMIT_MS } from '../../capture/limits.ts';
import type { CaptureConfig } from '../../run/capture/config.ts';
import { planCapture } from '../../run/capture/plan.ts';
import { type CaptureRun, runCapture } from '../../run/capture/run.ts';
import type { OutputConfig } from '../../run/outputs/config.ts';
import { openOutput } from '../../run/outputs/open.ts';
import { pcapng } from '../../run/outputs/pcapng.ts';
import { EXIT, type ExitCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { announce, conclude } from '../capture/messages.ts';
import { completePackets } from '../capture/options.ts';
import { CaptureProgress } from '../capture/progress.ts';
import { type Logger, reportError } from '../logger.ts';
import { onStopSignals } from '../signals.ts';
import type { ExtcapArguments } from './arguments.ts';
import { CONTROL, Toolbar } from './control.ts';
import { PauseGate } from './pause-gate.ts';
import { openForReading, openForWriting } from './pipes.ts';

/** How often we look whether Wireshark, which started us, still lives. */
const PARENT_MS = 1_000;

/**
 * The capture Wireshark asks for: packets into its FIFO until it stops us or closes it. What is said goes to the toolbar's
 * log; stderr, which Wireshark shows as an error when we have ended, gets only what went wrong.
 */
export async function extcapCapture(asked: ExtcapArguments, stderr: (line: string) => void): Promise<ExitCode> {
  const abort = new AbortController();
  const toolbar = new Toolbar();
  const troubles: string[] = [];
  const warn = (line: string) => {
    troubles.push(line);
    toolbar.log(line);
    toolbar.status(line);
  };
  const log: Logger = { info: (line) => toolbar.log(line), debug: () => {}, warn };
  const capture: Partial<Running> = {};
  await openControls(asked, toolbar, capture, abort.signal);
  const release = onStopSignals((count) => {
    abort.abort(new KsnoopError('INTERRUPTED', 'Wireshark stopped the capture before it began.'));
    // Packets that are held go to Wireshark if it still reads, and the capture can end.
    capture.gate?.open();
    if (count > 1) capture.run?.running.terminate();
    else capture.run?.running.stop('user');
  });
  const watch = stopWithParent();
  let code: ExitCode;
  try {
    code = await captureInto(asked, capture, log, abort.signal);
  } catch (thrown) {
    if (abort.signal.aborted) return EXIT.done;
    code = reportError(thrown instanceof KsnoopError ? thrown : cannotOpen(asked, thrown), warn);
  } finally {
    clearInterval(watch);
    release();
  }
  // Stopped before it began, nothing is missing; stopped later, what is missing is reported.
  if (code === EXIT.failed && abort.signal.aborted) return EXIT.done;
  if (code !== EXIT.done) for (const line of troubles) stderr(line);
  return code;
}

/** What Wireshark's buttons and signals act on, once it is there. */
interface Running {
  gate: PauseGate;
  run: CaptureRun;
}

/** Wireshark cannot start before its end of the control pipe is read, so that comes first. */
async function openControls(
  { controlIn, controlOut }: ExtcapArguments,
  toolbar: Toolbar,
  capture: Partial<Running>,
  signal: AbortSignal,
): Promise<void> {
  if (controlIn !== undefined) {
    toolbar.listen(await openForReading(controlIn), (control) => {
      if (control === CONTROL.pause && capture.gate !== undefined) toggle(capture.gate, toolbar);
    });
  }
  if (controlOut === undefined) return;
  openForWriting(controlOut, signal).then(
    (output) => toolbar.speak(output),
    () => {},
  );
}

/** Wireshark may be killed: then its child has another parent. */
function stopWithParent(): NodeJS.Timeout {
  const parent = process.ppid;
  return setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, PARENT_MS);
}

async function captureInto(
  asked: ExtcapArguments,
  capture: Partial<Running>,
  log: Logger,
  signal: AbortSignal,
): Promise<ExitCode> {
  // Opened before the cluster is asked: Wireshark then waits for packets, and sees it close when there are none to come.
  const gate = new PauseGate(await openForWriting(asked.fifo ?? '', signal));
  capture.gate = gate;
  const config = captureConfig(asked);
  const plan = await planCapture(config, signal);
  const nothing = announce(plan, log);
  if (nothing !== undefined) return nothing;
  const progress = new CaptureProgress(log);
  const output = outputConfig(gate);
  capture.run = await runCapture(plan, config, {
    open: (onProgress) => openOutput(output, { colour: false, width: undefined }, onProgress, signal),
    observer: progress,
  });
  const outcome = await capture.run.outcome;
  progress.close();
  // What was lost is then in the exit code, and by it on Wireshark's screen.
  return conclude(outcome, true, log);
}

/** What the dialog's fields ask for. @throws KsnoopError USAGE (exit 2) */
function captureConfig({ fields, captureFilter }: ExtcapArguments): CaptureConfig {
  const { target, targets: more, interface: name = 'any', filter, ...rest } = fields;
  const filters = [captureFilter, filter].filter((one) => one !== undefined);
  const targets = `${target ?? ''} ${more ?? ''}`.split(/\s+/).filter((word) => word !== '');
  if (targets.length === 0) {
    const hint = 'Choose one: the wheel beside the interface, or tshark -o extcap.ksnoop.target:pod/NAME';
    throw new KsnoopError('USAGE', 'There is no target to capture.', { hint, exit: EXIT.usage });
  }
  const joined = filters.length > 1 ? filters.map((one) => `(${one})`).join(' and ') : filters[0];
  const config = completePackets(targets, {
    ...rest,
    interface: name,
    ...(joined !== undefined && { filter: joined }),
  });
  return { ...config, mergeWindowLimitMs: MERGE_WINDOW_LIMIT_MS };
}

/** Packets for Wireshark's FIFO. */
function outputConfig(stream: Writable): OutputConfig {
  const sink = { kind: 'stream', stream } as const;
  const none = {
    rotation: undefined,
    force: false,
    json: false,
    where: undefined,
    showSecrets: false,
    utc: false,
    verbose: false,
  };
  return { output: pcapng, sink, ...none };
}

function toggle(gate: PauseGate, toolbar: Toolbar): void {
  if (gate.isShut) gate.open();
  else gate.shut();
  const { isShut } = gate;
  toolbar.label(CONTROL.pause, isShut ? 'Resume' : 'Pause');
  const words = isShut
    ? 'paused: the agents keep up to 320 MiB of packets per capture'
    : 'resumed with the packets that were kept';
  toolbar.status(`ksnoop ${words}`);
  toolbar.log(words);
}

function cannotOpen({ fifo }: ExtcapArguments, cause: unknown): KsnoopError {
  return new KsnoopError('CANNOT_WRITE', `The pipe ${fifo} cannot be opened: ${messageOf(cause)}.`, { cause });
}
