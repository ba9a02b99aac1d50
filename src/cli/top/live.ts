import { Writable } from 'node:stream';
import { planCapture } from '../../run/capture/plan.ts';
import { type CaptureRun, runCapture } from '../../run/capture/run.ts';
import { AnalysedOutput } from '../../run/outputs/analysed-output.ts';
import { edgeRequest } from '../../run/outputs/edge.ts';
import type { OpenOutput } from '../../run/outputs/open.ts';
import type { Output } from '../../run/outputs/output.ts';
import { ByteWriter } from '../../run/sink/byte-writer.ts';
import { type WhereExpression, whereExpression } from '../../run/where.ts';
import { type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { analysedOnNodes } from '../capture/edge-option.ts';
import { announce, conclude } from '../capture/messages.ts';
import { pickOnTerminal } from '../capture/pick-target.ts';
import { CaptureProgress } from '../capture/progress.ts';
import { type Logger, logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';
import { typedCommand } from '../typed-command.ts';
import { LiveSource } from './live-source.ts';
import { Top } from './model.ts';
import type { TopCapture, TopConfig } from './options.ts';
import { Stage } from './stage.ts';
import { writePackets, writeReportOfKept } from './write-kept.ts';

/** What `w` and `r` answer where no packets come. */
const STAY = 'With --edge the packets stay on their nodes: ksnoop TARGET -w FILE captures them.';

/** `ksnoop top TARGET…`: a capture that runs, until `q`. */
export async function topTargets(
  config: TopConfig,
  { capture, edge, quiet, verbose, canAsk }: TopCapture,
  where: WhereExpression | undefined,
): Promise<ExitCode> {
  const abort = new AbortController();
  let run: CaptureRun | undefined;
  let stopping = 0;
  const stop = (say: (line: string) => void) => {
    stopping += 1;
    if (run === undefined) abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted before anything was captured.'));
    else if (stopping > 1) run.running.terminate();
    else {
      say('Stopping… press q again to quit now');
      run.running.stop('user');
    }
  };
  const source: LiveSource = new LiveSource(capture.targets.join(' '), () => model);
  const model: Top = new Top(source);
  model.show(where);
  const { showSecrets, keyLog } = config;
  let output: Output | undefined;
  const shown = { showSecrets, keyLog, command: () => typedCommand(process.argv.slice(2), showSecrets) };
  const stage = new Stage(
    model,
    {
      filter: async (text) => {
        const missing = model.show(await whereExpression(text));
        return missing === 0 ? undefined : `of the last that are kept, and of all that comes`;
      },
      pause: (on) => model.pause(on),
      write: async () => (model.onNodes ? STAY : writePackets(model.kept, new Date())),
      report: async () =>
        model.onNodes
          ? STAY
          : writeReportOfKept(model.kept, new Date(), {
              where: model.condition,
              fetched: output?.podKeys?.keys[0],
              ...shown,
            }),
      jump: async () => 'Only a file can be rewound; p pauses the screen, w writes the packets to a file.',
      replay: async () => 'Only a file can be replayed.',
      quit: () => stop((line) => stage.screen.say(line)),
    },
    config.view,
  );
  const log = loggerOf(stage, source, { quiet, verbose });
  const progress = new CaptureProgress(log);
  const release = onStopSignals(() => stop(log.info));
  try {
    const plan = await planCapture(capture, abort.signal, { pick: canAsk ? pickOnTerminal : undefined });
    const nothing = announce(plan, log);
    if (nothing !== undefined) return nothing;
    model.onNodes = analysedOnNodes(edge, plan, log);
    const request = model.onNodes ? edgeRequest(model.kind, { where: undefined, showSecrets }) : undefined;
    run = await runCapture(
      plan,
      { ...capture, edge: request },
      {
        open: async (onProgress) => {
          const opened = screenOutput(model, config, onProgress);
          output = opened.output;
          return opened;
        },
        observer: progress,
      },
    );
    source.started(run.running, run.report);
    stage.open();
    const outcome = await run.outcome;
    await stage.close();
    progress.close();
    return conclude(outcome, false, log);
  } finally {
    release();
    await stage.close();
  }
}

/** The output of the analysis is the screen: no bytes are written. */
function screenOutput(
  model: Top,
  { showSecrets, keyLog }: Pick<TopConfig, 'showSecrets' | 'keyLog'>,
  onProgress: () => void,
): OpenOutput {
  const nowhere = new Writable({ write: (_bytes, _encoding, done) => done() });
  const context = { writer: new ByteWriter(nowhere, onProgress), colour: false, width: undefined, json: false };
  const output = new AnalysedOutput(model.kind, { ...context, where: undefined, showSecrets, keyLog });
  return { output, sink: undefined };
}

/** Before and after the screen stderr, meanwhile the screen's last line and the capture view. */
function loggerOf(stage: Stage, source: LiveSource, options: { quiet: boolean; verbose: boolean }): Logger {
  const outside = logger(options);
  const inside = (failed: boolean, say: (line: string) => void) => (line: string) => {
    if (!stage.isOpen) {
      say(line);
      return;
    }
    source.remarks.add(line, failed, Date.now());
    stage.screen.say(line, failed);
  };
  return {
    info: inside(false, outside.info),
    warn: inside(true, outside.warn),
    debug: (line) => {
      if (!stage.isOpen) outside.debug(line);
      else if (options.verbose) source.remarks.add(line, false, Date.now());
    },
  };
}
