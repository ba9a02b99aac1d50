import { openRotation } from '../rotation/rotating-output.ts';
import { openSink, type Sink } from '../sink/sink.ts';
import { whereExpression } from '../where.ts';
import type { OutputConfig, Presentation } from './config.ts';
import type { Output } from './output.ts';

/** An output that takes packets, and what it writes to. */
export interface OpenOutput {
  readonly output: Output;
  /** Undefined where nothing is written: a screen. */
  readonly sink: Sink | undefined;
}

/**
 * Open what a capture is written to.
 * @param onProgress called whenever bytes were written or no more can be
 * @param signal gives up waiting for the reader of a FIFO
 * @throws KsnoopError as openSink, openRotation and whereExpression have it
 */
export async function openOutput(
  config: OutputConfig,
  { colour, width }: Presentation,
  onProgress: () => void,
  signal: AbortSignal,
): Promise<OpenOutput> {
  const { output: kind, rotation, sink: target, force } = config;
  const { json, showSecrets, keyLog, utc, verbose, argument, command, about } = config;
  const where = await whereExpression(config.where);
  const create = kind.binary ? kind.create : await kind.load();
  const shown = { json, where: where?.condition, showSecrets, keyLog, utc, verbose, argument, command, about };
  const context = { colour, width, ...shown };
  if (rotation !== undefined) {
    const path = target.kind === 'file' ? target.path : '';
    const sink = openRotation({ path, force, rotation }, create, onProgress);
    return { output: await withKeys(sink.output(context), config), sink };
  }
  const sink = await openSink({ target, force, form: kind }, onProgress, signal);
  return { output: await withKeys(create({ ...context, writer: sink.writer }), config), sink };
}

/** Packets as they are get the secrets of their connections between them. */
async function withKeys(output: Output, { output: { binary }, keyLog }: OutputConfig): Promise<Output> {
  if (!binary || keyLog === undefined) return output;
  const { OutputWithKeys } = await import('./with-keys.ts');
  return new OutputWithKeys(output, keyLog);
}
