import { AnalysisSession } from '../../analyze/engine/session.ts';
import { KsnoopError } from '../../wire/errors.ts';
import type { AnalysisForm } from '../analysis/form.ts';
import { packetSelection } from '../convert/selection.ts';
import { readKeyLog } from '../keys/read-key-log.ts';
import { ByteWriter } from '../sink/byte-writer.ts';
import { whereExpression } from '../where.ts';
import type { ReadingConfig } from './config.ts';
import { prepareReading } from './prepare.ts';
import { type ReadingObserver, type ReadResult, readCapture } from './read-capture.ts';

/** Lines waiting for a slow reader before reading waits for it. */
const WAITING_BYTES = 8 * 1024 * 1024;

/** What a reading prints, and how. */
export interface LinesConfig {
  readonly output: AnalysisForm;
  /** `--json` */
  readonly json: boolean;
  /** Times are UTC, not local. */
  readonly utc: boolean;
  /** Also what is left out as noise. */
  readonly verbose: boolean;
  /** What stands behind the form's name: `-o map=dot`. */
  readonly argument?: string | undefined;
  /** The command as it was typed, for the reader of a report. */
  readonly command?: (() => string) | undefined;
  /** The packets come as they are captured: no line may wait for long. */
  readonly live: boolean;
  readonly colour: boolean;
  /** For a terminal: columns under one another. */
  readonly align: boolean;
  /** Columns of the terminal; undefined without a terminal. */
  readonly width: number | undefined;
  /** Where the lines are written; it stays open. */
  readonly descriptor: number;
}

/** What a reading found besides its lines. */
export interface LinesResult extends ReadResult {
  readonly session: AnalysisSession;
  /** The reader of the lines went away before their end. */
  readonly closed: boolean;
}

/**
 * Read a capture and write what the analysis finds as lines.
 * @throws KsnoopError CANNOT_WRITE, and as readCapture and whereExpression have it
 */
export async function readLines(
  config: ReadingConfig,
  { output, descriptor, ...form }: LinesConfig,
  signal: AbortSignal,
  observer: ReadingObserver,
): Promise<LinesResult> {
  const where = await whereExpression(config.where);
  const keys = config.keyLog === undefined ? undefined : await readKeyLog(config.keyLog);
  const reading = await prepareReading(config, signal, observer);
  const gone = new AbortController();
  const writer: ByteWriter = new ByteWriter(descriptor, () => {
    if (writer.end !== undefined) gone.abort();
  });
  const session = new AnalysisSession(await output.load(), {
    ...form,
    paths: config.paths,
    keyLog: config.keyLog,
    part: config.shard === undefined ? undefined : `${config.shard.index}-of-${config.shard.of}`,
    line: (text) => writer.pushText(`${text}\n`),
    where: where?.condition,
    choice: packetSelection(reading),
    showSecrets: config.showSecrets,
    bodies: config.bodies,
    keys,
  });
  const reader = {
    framer: session.capture.framer,
    push: (bytes: Uint8Array) => session.push(bytes),
    nextFile: (goesOn: boolean, inOrder: boolean) => session.capture.framer.nextFile(goesOn, inOrder),
    waiting: () => (writer.pending > WAITING_BYTES ? writer.drained() : session.waiting),
  };
  const result = await readCapture(reading, reader, AbortSignal.any([signal, gone.signal]), observer);
  session.end();
  await session.waiting;
  await writer.drained();
  if (writer.end?.kind === 'failed') {
    throw new KsnoopError('CANNOT_WRITE', `The output could not be written: ${writer.end.error.message}.`);
  }
  return { ...result, session, closed: writer.end?.kind === 'closed' };
}
