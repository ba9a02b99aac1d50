import { Writable } from 'node:stream';
import type { RunningCapture } from '../../capture/streams/capture.ts';
import { AnalysedOutput } from '../../run/outputs/analysed-output.ts';
import { ByteWriter } from '../../run/sink/byte-writer.ts';
import type { ExitCode } from '../../wire/errors.ts';
import { captureCommand } from '../capture/command.ts';
import { type Logger, logger } from '../logger.ts';
import { LiveSource } from './live-source.ts';
import { Top } from './model.ts';
import type { RawTopOptions, TopConfig } from './options.ts';
import { Stage } from './stage.ts';
import { type Where, whereOf } from './where.ts';
import { writeRing } from './write-ring.ts';

/** `ksnoop top TARGET…`: a capture that runs, until `q`. */
export async function topTargets(config: TopConfig, raw: RawTopOptions, where: Where | undefined): Promise<ExitCode> {
  let running: RunningCapture | undefined;
  let stopping = 0;
  const source: LiveSource = new LiveSource(config.targets.join(' '), () => model);
  const model: Top = new Top(source);
  model.show(where);
  const stage = new Stage(
    model,
    {
      filter: async (text) => {
        const missing = model.show(await whereOf(text));
        return missing === 0 ? undefined : `of the last that are kept, and of all that comes`;
      },
      pause: (on) => model.pause(on),
      write: async () => writeRing(model.kept, new Date()),
      jump: async () => 'Only a file can be gone back in; p holds the screen, w writes the packets to a file.',
      replay: async () => 'Only a file can be replayed.',
      quit: () => {
        stopping += 1;
        if (stopping > 1) running?.terminate();
        else {
          stage.screen.say('stopping: the last packets are on their way; once more to break off at once');
          running?.stop('user');
        }
      },
    },
    config.view,
  );
  try {
    return await captureCommand(config.targets, captureOptions(raw), {
      log: loggerOf(stage, source, raw),
      mayAsk: true,
      output: (context) => new AnalysedOutput(model.kind, context),
      openSink: async (_config, onProgress) => ({
        writer: new ByteWriter(nowhere(), onProgress),
        description: undefined,
        close: async () => {},
      }),
      started: (capture, report) => {
        running = capture;
        source.started(capture, report);
        stage.open();
      },
      ended: () => stage.close(),
    });
  } finally {
    await stage.close();
  }
}

/** What captures: all that is the screen's own is left out. */
function captureOptions({ view: _view, where: _where, ...raw }: RawTopOptions) {
  return { ...raw, output: 'summary' };
}

/** Before and after the screen stderr, meanwhile the screen's last line and the capture view. */
function loggerOf(stage: Stage, source: LiveSource, raw: RawTopOptions): Logger {
  const outside = logger({ quiet: raw.quiet === true, verbose: raw.verbose === true });
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
      else if (raw.verbose === true) source.remarks.add(line, false, Date.now());
    },
  };
}

/** The output of the analysis is the screen: no octets are written. */
function nowhere(): Writable {
  return new Writable({ write: (_bytes, _encoding, done) => done() });
}
