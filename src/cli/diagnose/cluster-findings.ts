import { examineCluster } from '../../run/diagnose/examine-cluster.ts';
import { Colours, wantsColour } from '../../view/colour.ts';
import { findingLines } from '../../view/finding-lines.ts';
import { jsonLine } from '../../view/json-line.ts';
import { completePackets, type RawCaptureOptions } from '../capture/options.ts';
import { logger } from '../logger.ts';

/** Print what is wrong with the objects of the targets, which needs no packets. */
export async function printClusterFindings(targets: readonly string[], raw: RawCaptureOptions): Promise<void> {
  const log = logger({ quiet: raw.quiet === true, verbose: raw.verbose === true });
  const { findings, unread } = await examineCluster(completePackets(targets, raw), new AbortController().signal);
  for (const sentence of unread) log.warn(`not looked at: ${sentence}`);
  if (findings.length === 0) return;
  if (raw.json === true) {
    process.stdout.write(`${jsonLine({ v: 1, kind: 'clusterFindings', findings })}\n`);
    return;
  }
  const style = {
    colours: new Colours(wantsColour(process.stdout, process.env)),
    utc: raw.utc === true,
    width: process.stdout.isTTY === true ? process.stdout.columns : undefined,
    timeText: () => '',
  };
  for (const finding of findings) process.stdout.write(`${findingLines(finding, style).join('\n')}\n\n`);
}
