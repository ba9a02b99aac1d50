import type { Writable } from 'node:stream';
import { ByteWriter } from '../../run/sink/byte-writer.ts';
import { EXIT, type ExitCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { captureCommand } from '../capture/command.ts';
import { type Logger, reportError } from '../logger.ts';
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
  const tell = (line: string) => {
    troubles.push(line);
    toolbar.log(line);
    toolbar.status(line);
  };
  const log: Logger = { info: (line) => toolbar.log(line), debug: () => {}, warn: tell };
  let gate: PauseGate | undefined;
  // Wireshark cannot start before its end of the control pipe is read, so that comes first.
  if (asked.controlIn !== undefined) {
    toolbar.listen(await openForReading(asked.controlIn), (control) => {
      if (control === CONTROL.pause && gate !== undefined) toggle(gate, toolbar);
    });
  }
  if (asked.controlOut !== undefined) {
    openForWriting(asked.controlOut, abort.signal).then(
      (output) => toolbar.speak(output),
      () => {},
    );
  }
  const stop = () => {
    abort.abort(new KsnoopError('INTERRUPTED', 'Wireshark stopped the capture before it began.'));
    // What is held goes to whoever still reads, and the capture can end.
    gate?.open();
  };
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, PARENT_MS);
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, stop);
  let code: ExitCode;
  try {
    // Opened before the cluster is asked: Wireshark then waits for packets, and sees it close when there are none to come.
    const fifo = await openForWriting(asked.fifo ?? '', abort.signal);
    gate = new PauseGate(fifo);
    code = await captureInto(asked, gate, log);
  } catch (thrown) {
    if (abort.signal.aborted) return EXIT.done;
    code = reportError(thrown instanceof KsnoopError ? thrown : cannotOpen(asked, thrown), tell);
  } finally {
    clearInterval(watch);
  }
  // Stopped before it began, it has nothing to say; stopped later, it still says what is missing.
  if (code === EXIT.failed && abort.signal.aborted) return EXIT.done;
  if (code !== EXIT.done) for (const line of troubles) stderr(line);
  return code;
}

async function captureInto(asked: ExtcapArguments, to: Writable, log: Logger): Promise<ExitCode> {
  const { target, targets: more, kubeconfig, context, namespace, container, snaplen, filter } = asked.fields;
  const filters = [asked.captureFilter, filter].filter((one) => one !== undefined);
  const options = {
    interface: asked.fields.interface ?? 'any',
    output: 'pcapng',
    // What was lost is then in the exit code, and by it on Wireshark's screen.
    strict: true,
    ...(kubeconfig && { kubeconfig }),
    ...(context && { context }),
    ...(namespace && { namespace }),
    ...(container && { container }),
    ...(snaplen && { snaplen }),
    ...(filters.length > 0 && {
      filter: filters.length === 1 ? filters[0] : filters.map((one) => `(${one})`).join(' and '),
    }),
  };
  const targets = `${target ?? ''} ${more ?? ''}`.split(/\s+/).filter((word) => word !== '');
  if (targets.length === 0) {
    const hint = 'Choose one: the wheel beside the interface, or tshark -o extcap.ksnoop.target:pod/NAME';
    throw new KsnoopError('USAGE', 'There is no target to capture.', { hint, exit: EXIT.usage });
  }
  return captureCommand(targets, options, {
    log,
    openSink: async (_config, onProgress) => {
      const writer = new ByteWriter(to, onProgress);
      return {
        writer,
        description: undefined,
        close: async () => {
          await writer.drained();
          writer.close();
        },
      };
    },
  });
}

function toggle(gate: PauseGate, toolbar: Toolbar): void {
  if (gate.isShut) gate.open();
  else gate.shut();
  const { isShut } = gate;
  toolbar.label(CONTROL.pause, isShut ? 'Resume' : 'Pause');
  const words = isShut ? 'paused: the agents keep up to 320 MiB of packets per capture' : 'goes on with what was kept';
  toolbar.status(`ksnoop ${words}`);
  toolbar.log(words);
}

function cannotOpen({ fifo }: ExtcapArguments, cause: unknown): KsnoopError {
  return new KsnoopError('CANNOT_WRITE', `The pipe ${fifo} cannot be opened: ${messageOf(cause)}.`, { cause });
}
