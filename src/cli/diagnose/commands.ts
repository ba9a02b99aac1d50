import type { Command } from 'commander';
import {
  addPacketFlags,
  addTargetFlags,
  addTransportFlags,
  CLOCK_FLAG,
  FAIL_ON_FLAG,
  UTC_FLAG,
  WHERE_FLAG,
} from '../capture/flags.ts';
import type { RawCaptureOptions } from '../capture/options.ts';
import { addExamples } from '../examples.ts';
import { addVerbosityFlags } from '../flags.ts';
import { usage } from '../usage.ts';

/** How long a running system is looked at. */
const DURATION = '30s';

interface RawDiagnoseOptions extends RawCaptureOptions {
  readonly failOn?: string;
}

/** `ksnoop diagnose`: why a Service fails or is slow. */
export function addDiagnoseCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const diagnose = ksnoop
    .command('diagnose')
    .description('what is wrong with the traffic of targets or in capture files: findings, evidence and next steps')
    .argument('[targets...]', 'KIND/NAME ... as capture takes them, or files as read takes them; - for stdin');
  addTargetFlags(diagnose);
  addPacketFlags(diagnose)
    .option('--duration <TIME>', 'how long to capture: 30s, 5m, 1h30m', DURATION)
    .option(...CLOCK_FLAG);
  diagnose
    .option('--json', 'findings as JSON: those of the cluster in a line, then those of the packets')
    .option(...WHERE_FLAG)
    .option(...UTC_FLAG)
    .option(...FAIL_ON_FLAG);
  addTransportFlags(diagnose);
  addVerbosityFlags(diagnose).action(async (words: string[], options: RawDiagnoseOptions) => {
    const { captureFiles } = await import('../capture-files.ts');
    const { analyseFiles, analyseTargets } = await import('../read/targets-or-files.ts');
    if (captureFiles(words)) {
      setExit(await analyseFiles(words, options, 'findings'));
      return;
    }
    if (options.failOn !== undefined)
      throw usage('--fail-on needs capture files so far: record with -w, then diagnose FILE.');
    if (options.dryRun !== true) {
      const { printClusterFindings } = await import('./cluster-findings.ts');
      await printClusterFindings(words, options);
    }
    setExit(await analyseTargets(words, options, 'findings'));
  });
  addExamples(diagnose, [
    ['diagnose svc/web -n shop', 'half a minute of a Service and its clients'],
    ['diagnose incident.pcapng', 'a capture'],
    ['diagnose incident.pcapng --fail-on error', 'in a script: exit code 6 when something fails'],
  ]);
}
