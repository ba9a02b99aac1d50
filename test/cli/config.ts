import { type CaptureCommand, completeCapture, type RawCaptureOptions } from '../../src/cli/capture/options.ts';
import type { CaptureConfig } from '../../src/run/capture/config.ts';
import type { SinkConfig } from '../../src/run/sink/sink.ts';

/** `ksnoop capture` as the command line gives it, into a pipe unless `raw` says otherwise. */
export function captureLine(raw: Partial<RawCaptureOptions> = {}, targets = ['pod/a']): CaptureCommand {
  return completeCapture(targets, { interface: 'any', ...raw }, { stdoutIsTerminal: false, canAsk: false });
}

/** What such a line captures. */
export function captureConfig(raw: Partial<RawCaptureOptions> = {}, targets = ['pod/a']): CaptureConfig {
  return captureLine(raw, targets).capture;
}

/** Where such a line writes. */
export function sinkConfig(raw: Partial<RawCaptureOptions> = {}): SinkConfig {
  const { sink: target, force, output: form } = captureLine(raw).output;
  return { target, force, form };
}
