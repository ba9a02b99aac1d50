import { type CaptureConfig, completeCapture, type RawCaptureOptions } from '../../src/cli/capture/options.ts';

/** A capture's configuration as the command line gives it, into a pipe unless `raw` says otherwise. */
export function captureConfig(raw: Partial<RawCaptureOptions> = {}, targets = ['pod/a']): CaptureConfig {
  return completeCapture(targets, { interface: 'any', ...raw }, false);
}
