import { fstatSync, statSync } from 'node:fs';
import { CaptureAnalysis } from '../../analyze/engine/capture-analysis.ts';
import { AnalysisSession, type Condition } from '../../analyze/engine/session.ts';
import type { AnalysisOutputKind } from '../../run/analysis/output.ts';
import { packetSelection } from '../../run/convert/select.ts';
import type { CaptureWriter } from '../../run/convert/writer.ts';
import { openSink } from '../../run/sink/sink.ts';
import { byteSize, counted, grouped } from '../../view/units.ts';
import { CaptureFramer } from '../../wire/capture-read.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import type { Logger } from '../logger.ts';
import type { ReadCapture, ReadConfig } from './options.ts';
import { readCapture, readExit } from './read-capture.ts';

/** Written over while it is read, a capture would be lost. @throws KsnoopError SAME_FILE (exit 2) */
function refuseSame(from: string, to: string): void {
  if (to === '-') return;
  const target = statSync(to, { throwIfNoEntry: false });
  const source = from === '-' ? fstatSync(0) : statSync(from, { throwIfNoEntry: false });
  if (!target?.isFile() || source?.ino !== target.ino || source.dev !== target.dev) return;
  const hint = 'Write another file, and rename it afterwards.';
  throw new KsnoopError('SAME_FILE', `${to} is the capture that is read.`, { hint, exit: EXIT.usage });
}

/** Octets waiting for the disk or a slow reader before reading waits. */
const WAITING_BYTES = 8 * 1024 * 1024;

/** `ksnoop read IN -w OUT`: another format, fewer packets, shorter ones. */
export async function convert(
  config: ReadConfig,
  make: ReadCapture,
  where: Condition | undefined,
  log: Logger,
  signal: AbortSignal,
): Promise<ExitCode> {
  refuseSame(config.path, make.path);
  const wanted = where === undefined ? undefined : await wantedPackets(config, where, log, signal);
  if (signal.aborted) return EXIT.failed;
  const target = make.path === '-' ? ({ kind: 'stdout' } as const) : ({ kind: 'file', path: make.path } as const);
  const stop = new AbortController();
  const sink = await openSink(
    { sink: target, force: make.force, output: { name: make.format.name, binary: true } },
    () => {
      if (sink.writer.end !== undefined) stop.abort();
    },
    signal,
  );
  const { writer } = sink;
  const format = make.format.create((bytes, offset, length) => writer.push(bytes, offset, length));
  const copy = copier(config, make, format, wanted);
  const both = AbortSignal.any([signal, stop.signal]);
  const result = await readCapture(
    config,
    copy.framer,
    (bytes) => copy.framer.push(bytes),
    () => (writer.pending > WAITING_BYTES ? writer.drained() : undefined),
    both,
    log,
  ).catch(async (thrown: unknown) => {
    await sink.close(true);
    throw thrown;
  });
  await sink.close(false);
  if (writer.end?.kind === 'failed') {
    throw new KsnoopError('CANNOT_WRITE', `The file could not be written to its end: ${writer.end.error.message}.`);
  }
  const of = `${counted(copy.written(), 'packet')} of ${grouped(copy.framer.packets)}`;
  log.info(`${of}, ${byteSize(writer.written)}${sink.description === undefined ? '' : `: ${sink.description}`}`);
  if (format.omitted !== undefined) log.warn(format.omitted);
  if (result.stopped !== undefined) log.warn(result.stopped);
  return writer.end?.kind === 'closed' ? EXIT.done : readExit(result);
}

/** Frames the capture once more and hands on what is wanted. */
function copier(config: ReadConfig, make: ReadCapture, format: CaptureWriter, wanted: ReadonlySet<number> | undefined) {
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
      const caplen = Math.min(captured, make.snaplen);
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
async function wantedPackets(
  config: ReadConfig,
  where: Condition,
  log: Logger,
  signal: AbortSignal,
): Promise<ReadonlySet<number>> {
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
  });
  const { framer } = session.capture;
  await readCapture(
    config,
    framer,
    (bytes) => session.push(bytes),
    () => undefined,
    signal,
    log,
  );
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
  await readCapture(
    config,
    second.framer,
    (bytes) => second.push(bytes),
    () => undefined,
    signal,
    log,
  );
  return packets;
}
