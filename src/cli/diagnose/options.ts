import type { CaptureConfig } from '../../run/capture/config.ts';
import type { OutputConfig } from '../../run/outputs/config.ts';
import type { ReportFile } from '../../run/report/report-file.ts';
import { completeCapture, type RawCaptureOptions } from '../capture/options.ts';
import { checkLiveKeyLog } from '../live-key-log.ts';
import { checkReport } from '../report-option.ts';
import { usage } from '../usage.ts';
import type { Scope } from './scope.ts';

export interface RawDiagnoseOptions extends RawCaptureOptions {
  readonly failOn?: string;
  readonly scope?: Scope;
}

/** `ksnoop diagnose TARGET…` as it will be run. */
export interface DiagnoseCommand {
  readonly capture: CaptureConfig;
  readonly scope: Scope;
  /** Where the packets are kept; undefined: nowhere. */
  readonly packets: OutputConfig | undefined;
  readonly where: string | undefined;
  /** A file with secrets of TLS connections, which grows. */
  readonly keyLog: string | undefined;
  readonly failOn: string | undefined;
  /** Where the report is written as a page as well. */
  readonly report: ReportFile | undefined;
  readonly json: boolean;
  readonly utc: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}

/** @throws KsnoopError USAGE (exit 2), one sentence each */
export function completeDiagnose(words: readonly string[], raw: RawDiagnoseOptions, canAsk: boolean): DiagnoseCommand {
  const { where, json, write, failOn, local = false } = raw;
  if (write === '-') throw usage('stdout gets the report, so -w takes the name of a file.');
  if (local && raw.scope !== undefined) throw usage('--local uses no cluster, so --scope has no meaning with it.');
  // A Capture of a tenant has the targets alone.
  const scope = raw.scope ?? (local || raw.asTenant === true ? 'target' : 'clients');
  checkReport(raw, 'findings');
  const { where: _where, json: _json, keylog, report, ...packetFlags } = raw;
  checkLiveKeyLog(keylog, raw.local === true);
  const clients = scope !== 'target' || raw.clients === true;
  const { capture, output } = completeCapture(
    words,
    { ...packetFlags, output: 'pcapng', ...(clients && !local ? { clients } : {}) },
    { stdoutIsTerminal: false, canAsk },
  );
  return {
    capture,
    scope,
    packets: write === undefined ? undefined : { ...output, keyLog: keylog },
    where,
    keyLog: keylog,
    failOn,
    report: report === undefined ? undefined : { path: report, force: raw.force === true },
    json: json === true,
    utc: raw.utc === true,
    quiet: raw.quiet === true,
    verbose: raw.verbose === true,
  };
}
