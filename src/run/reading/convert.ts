import { fstatSync, statSync } from 'node:fs';
import { CaptureAnalysis } from '../../analyze/engine/capture-analysis.ts';
import type { AnalysisOutputKind } from '../../analyze/engine/output.ts';
import { AnalysisSession, type Condition } from '../../analyze/engine/session.ts';
import type { KeyLog } from '../../analyze/protocols/tls/decrypt/key-log.ts';
import { CaptureFramer } from '../../wire/capture-read.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { packetSelection } from '../convert/selection.ts';
import type { CaptureWriter } from '../convert/writer.ts';
import { readKeyLog } from '../keys/read-key-log.ts';
import { secretsBlocks } from '../keys/secrets-blocks.ts';
import { openSink, type SinkTarget } from '../sink/sink.ts';
import { whereExpression } from '../where.ts';
import type { ConversionConfig, PreparedReading, ReadingConfig } from './config.ts';
import { prepareReading } from './prepare.ts';
import { type Reader, type ReadingObserver, type ReadResult, readCapture } from './read-capture.ts';

/** Bytes waiting for the disk or a slow reader before reading waits. */
const WAITING_BYTES = 8 * 1024 * 1024;
/** Lines of secrets that are moved to the front, those of 50,000 connections, and their characters. Of more than that none is moved. */
const SECRETS_MAXIMUM = 250_000;
const SECRETS_CHARACTERS = 64 * 1024 * 1024;

/** What was written of a capture. */
export interface Conversion extends ReadResult {
  /** Packets written, and packets read. */
  readonly written: number;
  readonly packets: number;
  readonly bytes: number;
  /** `wrote incident.pcap`; undefined for stdout. */
  readonly description: string | undefined;
  /** What the format could not hold, a sentence. */
  readonly omitted: string | undefined;
  /** Who read the output went away before its end. */
  readonly closed: boolean;
}

/**
 * Read a capture and write another: another format, fewer packets, shorter ones. Where secrets of TLS connections stand behind packets and
 * both captures are files, the new one is written a second time, with all secrets before the packets.
 * @returns undefined when it was aborted before anything was written
 * @throws KsnoopError SAME_FILE (exit 2), CANNOT_WRITE, and as openSink, readCapture and whereExpression have it
 */
export async function convert(
  config: ReadingConfig,
  to: ConversionConfig,
  signal: AbortSignal,
  observer: ReadingObserver,
): Promise<Conversion | undefined> {
  const where = await whereExpression(config.where);
  const reading = await prepareReading(config, signal, observer);
  for (const { path } of reading.files) refuseSame(path, to.target);
  const keys = config.keyLog === undefined ? undefined : await readKeyLog(config.keyLog);
  const wanted = where && (await wantedPackets({ reading, where: where.condition, keys, signal, observer }));
  if (keys !== undefined && wanted === undefined) await findConnections(reading, keys, signal, observer);
  if (signal.aborted) return undefined;
  const secrets = to.withoutKeys === true || keys === undefined ? undefined : secretsBlocks(keys.foundLines());
  const parts = { reading, to, wanted, signal, observer };
  const copy = await copyCapture({ ...parts, secrets });
  const isAgain = to.target.kind === 'file' && [to.target, ...reading.files].every(({ path }) => isFile(path));
  if (!copy.hasLateSecrets || signal.aborted || !isAgain) return copy.done;
  const inFront = await secretsIn(reading, signal, observer);
  if (signal.aborted || inFront === undefined) return copy.done;
  return (await copyCapture({ ...parts, to: { ...to, force: true }, secrets: secretsBlocks(inFront) })).done;
}

/** What one copy of a capture is made of. */
interface CopyParts {
  readonly reading: PreparedReading;
  readonly to: ConversionConfig;
  readonly secrets: readonly Uint8Array[] | undefined;
  readonly wanted: ReadonlySet<number> | undefined;
  readonly signal: AbortSignal;
  readonly observer: ReadingObserver;
}

/** @returns what was written, and whether secrets stand behind packets there */
async function copyCapture({
  reading,
  to,
  secrets,
  wanted,
  signal,
  observer,
}: CopyParts): Promise<{ readonly done: Conversion; readonly hasLateSecrets: boolean }> {
  const stop = new AbortController();
  const sink = await openSink(
    { target: to.target, force: to.force, form: { name: to.format.name, binary: true } },
    () => {
      if (sink.writer.end !== undefined) stop.abort();
    },
    signal,
  );
  if (sink.notice !== undefined) observer.note?.(sink.notice);
  const { writer } = sink;
  const format = to.format.create((bytes, offset, length) => writer.push(bytes, offset, length), {
    omit: to.withoutKeys,
    secrets,
  });
  const copy = copier(reading, to.snaplen, format, wanted);
  const reader = {
    framer: copy.framer,
    push: (bytes: Uint8Array) => copy.framer.push(bytes),
    nextFile: (goesOn: boolean, inOrder: boolean) => {
      format.nextFile();
      copy.framer.nextFile(goesOn, inOrder);
    },
    waiting: () => (writer.pending > WAITING_BYTES ? writer.drained() : undefined),
  };
  const both = AbortSignal.any([signal, stop.signal]);
  const result = await readCapture(reading, reader, both, observer).catch(async (thrown: unknown) => {
    await sink.close(true);
    throw thrown;
  });
  await sink.close(false);
  if (writer.end?.kind === 'failed') {
    throw new KsnoopError('CANNOT_WRITE', `The file could not be written to its end: ${writer.end.error.message}.`);
  }
  const done = {
    ...result,
    written: copy.written(),
    packets: copy.framer.packets,
    bytes: writer.written,
    description: sink.description,
    omitted: format.omitted,
    closed: writer.end?.kind === 'closed',
  };
  return { done, hasLateSecrets: format.hasLateSecrets };
}

/** Whether it can be read, or written, a second time: no pipe, no device. */
function isFile(path: string): boolean {
  return path !== '-' && statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The secrets of TLS connections in a capture: lines of a key log, each once. @returns undefined where they are too many */
async function secretsIn(
  reading: PreparedReading,
  signal: AbortSignal,
  observer: ReadingObserver,
): Promise<ReadonlySet<string> | undefined> {
  const all = new Set<string>();
  let characters = 0;
  const isFull = () => all.size > SECRETS_MAXIMUM || characters > SECRETS_CHARACTERS;
  const secrets = (text: string) => {
    for (const line of text.split('\n')) {
      if (line === '' || isFull()) continue;
      const { size } = all;
      all.add(`${line}\n`);
      if (all.size > size) characters += line.length;
    }
  };
  const framer = new CaptureFramer({ interface: () => {}, packet: () => {}, secrets });
  await readCapture(reading, plainReader(framer), signal, observer);
  return isFull() ? undefined : all;
}

/** Overwritten while it is read, a capture would be lost. @throws KsnoopError SAME_FILE (exit 2) */
function refuseSame(from: string, to: SinkTarget): void {
  if (to.kind !== 'file') return;
  const target = statSync(to.path, { throwIfNoEntry: false });
  const source = from === '-' ? fstatSync(0) : statSync(from, { throwIfNoEntry: false });
  if (!target?.isFile() || source?.ino !== target.ino || source.dev !== target.dev) return;
  const hint = 'Write another file, and rename it afterwards.';
  throw new KsnoopError('SAME_FILE', `${to.path} is the capture that is read.`, { hint, exit: EXIT.usage });
}

/** Takes what is read as fast as it comes. */
function plainReader(framer: CaptureFramer): Reader {
  return {
    framer,
    push: (bytes) => framer.push(bytes),
    nextFile: (goesOn, inOrder) => framer.nextFile(goesOn, inOrder),
    waiting: () => undefined,
  };
}

/** Read the capture once for the connections of which the key log has secrets (KeyLog.foundLines), and for secrets in it. */
async function findConnections(
  config: PreparedReading,
  keys: KeyLog,
  signal: AbortSignal,
  observer: ReadingObserver,
): Promise<void> {
  for (const attempt of ['first', 'with late secrets']) {
    let [packets, isLate] = [0, false];
    const { framer } = new CaptureAnalysis(
      { event: () => {}, flowEnded: () => {} },
      { detail: false, showSecrets: false, keys },
      {
        packet: () => {
          packets += 1;
        },
        secrets: (lines) => {
          const { version } = keys;
          keys.add(lines);
          isLate ||= packets > 0 && keys.version > version;
        },
      },
      packetSelection(config),
    );
    await readCapture(config, plainReader(framer), signal, observer);
    // Those of connections that began before them were not looked for.
    if (!isLate || attempt !== 'first') return;
  }
}

/** Frames the capture a second time and passes on the selected packets. */
function copier(
  config: PreparedReading,
  snaplen: number,
  format: CaptureWriter,
  wanted: ReadonlySet<number> | undefined,
) {
  const choice = packetSelection(config);
  let index = -1;
  let written = 0;
  const framer: CaptureFramer = new CaptureFramer({
    interface: (id, described) => {
      choice?.interface(id, described);
      format.interface(id, described);
    },
    block: (block) => format.block(block),
    packet: (bytes, offset, captured, origlen, timeHigh, timeLow, interfaceId, flags) => {
      if (choice?.wants(bytes, offset, captured, origlen, timeHigh, timeLow, interfaceId) === false) return;
      index += 1;
      if (wanted?.has(index) === false) return;
      const caplen = Math.min(captured, snaplen);
      written += 1;
      format.packet({ bytes, offset, caplen, captured, origlen, timeHigh, timeLow, interfaceId, flags }, framer);
    },
  });
  return { framer, written: () => written };
}

/**
 * The packets of every flow that matches or has an event that does, and packets without a flow that match; counted
 * over those that were selected, from 0.
 */
async function wantedPackets({
  reading: config,
  where,
  keys,
  signal,
  observer,
}: {
  readonly reading: PreparedReading;
  readonly where: Condition;
  readonly keys: KeyLog | undefined;
  readonly signal: AbortSignal;
  readonly observer: ReadingObserver;
}): Promise<ReadonlySet<number>> {
  const flows = new Set<number>();
  const packets = new Set<number>();
  let index = -1;
  const collect: AnalysisOutputKind = {
    detail: true,
    packets: false,
    create: () => ({
      event: (_event, flow) => void flows.add(flow.id),
      flowEnded: (flow) => void flows.add(flow.id),
    }),
  };
  const choice = packetSelection(config);
  const session = new AnalysisSession(collect, {
    line: () => {},
    colour: false,
    align: false,
    width: undefined,
    json: false,
    where,
    choice,
    showSecrets: config.showSecrets,
    keys,
  });
  const { framer } = session.capture;
  const reader = plainReader(framer);
  await readCapture(config, reader, signal, observer);
  session.end();
  // Which packets were theirs: flows are counted alike every time.
  const second: CaptureAnalysis = new CaptureAnalysis(
    { event: () => {}, flowEnded: () => {} },
    { detail: false, showSecrets: false },
    {
      packet: (view) => {
        index += 1;
        const { flow } = second.analysis;
        if (flow >= 0 ? flows.has(flow) : where.matches(session.recorder.packet(view, view.interfaceId))) {
          packets.add(index);
        }
      },
    },
    packetSelection(config),
  );
  await readCapture(config, plainReader(second.framer), signal, observer);
  return packets;
}
