import { type WhereExpression, whereExpression } from '../../run/where.ts';
import { timeSpan } from '../../view/units.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { onStopSignals } from '../signals.ts';
import { typedCommand } from '../typed-command.ts';
import { CaptureFileSource } from './file-source.ts';
import { Top } from './model.ts';
import type { TopConfig } from './options.ts';
import { Stage } from './stage.ts';
import { writePackets, writeReportOfKept } from './write-kept.ts';

const NOT_SEEKABLE = 'Cannot rewind piped input.';

/** A file's length is gone through in so many steps. */
const STEPS = 20;

/** `ksnoop top FILE`: the file at its end, or at a time in it. */
export async function topFile(config: TopConfig, path: string, where: WhereExpression | undefined): Promise<ExitCode> {
  const source = new CaptureFileSource(path, config);
  const model = new Top(source);
  if (where !== undefined) model.show(where);
  const over = Promise.withResolvers<void>();
  const quit = () => over.resolve();
  const { showSecrets, keyLog } = config;
  const shown = { showSecrets, keyLog, command: () => typedCommand(process.argv.slice(2), showSecrets) };
  const stage = new Stage(
    model,
    {
      filter: async (text) => {
        const next = await whereExpression(text);
        // What is kept no more is read again, so that nothing is missing.
        if (model.show(next) > 0 && source.seekable) await source.read(model, source.to);
        return undefined;
      },
      pause: (on) => model.pause(on),
      write: async () => writePackets(model.kept, new Date()),
      report: () => writeReportOfKept(model.kept, new Date(), { where: model.condition, ...shown }),
      jump: async (by) => {
        const to = stepTo(source, by);
        if (typeof to === 'string') return to;
        await source.read(model, to);
        return to === undefined ? 'at the end' : `${timeSpan(to / 1e6)} after the first packet`;
      },
      replay: async () => {
        if (!source.seekable) return NOT_SEEKABLE;
        const from = source.position === 1 ? 0 : source.at;
        return (await source.replay(model, from)) ? 'at the end' : undefined;
      },
      quit,
    },
    config.view,
  );
  const release = onStopSignals(quit);
  try {
    const read = source.read(model, undefined);
    stage.open();
    await Promise.race([read.then(() => over.promise), over.promise]);
    return EXIT.done;
  } finally {
    source.stop();
    release();
    await stage.close();
  }
}

/** Where a step leads, ns after the first packet; undefined for the end; or why there is no step. */
function stepTo(source: CaptureFileSource, by: -1 | 1): number | undefined | string {
  const { length } = source;
  if (!source.seekable) return NOT_SEEKABLE;
  if (length === undefined) return 'The file is not read to its end yet.';
  const to = source.at + (by * length) / STEPS;
  return to >= length ? undefined : Math.max(0, to);
}
