import { type Command, Option } from 'commander';
import {
  addPacketFlags,
  addTargetFlags,
  addTransportFlags,
  CLOCK_FLAG,
  FAIL_ON_FLAG,
  KEYLOG_FLAG,
  REPORT_FLAG,
  UTC_FLAG,
  WHERE_FLAG,
} from '../capture/flags.ts';
import { captureFiles } from '../capture-files.ts';
import { addExamples } from '../examples.ts';
import { addJson, addVerbosityFlags } from '../flags.ts';
import { usage } from '../usage.ts';
import type { RawDiagnoseOptions } from './options.ts';
import { SCOPES } from './scope.ts';

/** How long a running system is looked at. */
const DURATION = '30s';

/** `ksnoop diagnose`: why a Service fails or is slow. */
export function addDiagnoseCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const diagnose = ksnoop
    .command('diagnose')
    .description('what is wrong with the traffic of targets or in capture files: findings, evidence and next steps')
    .argument('[targets...]', 'KIND/NAME ... as capture takes them, or files as read takes them; - for stdin');
  addTargetFlags(diagnose);
  addPacketFlags(diagnose)
    .option('--duration <TIME>', 'how long to capture: 30s, 5m, 1h30m', DURATION)
    .addOption(
      new Option(
        '--scope <WHAT>',
        'target: only the targets; clients (default; with --as-tenant: target): also their clients; surroundings: also Ingresses that lead to them, and DNS',
      ).choices(SCOPES),
    )
    .option('-w, --write <FILE>', 'also keep the packets in FILE')
    .option('--force', 'overwrite an existing file')
    .option(...CLOCK_FLAG);
  addJson(diagnose, 'findings as JSON, one document')
    .option(...WHERE_FLAG)
    .option(...KEYLOG_FLAG)
    .option(...REPORT_FLAG)
    .option(...UTC_FLAG)
    .option(...FAIL_ON_FLAG);
  addTransportFlags(diagnose);
  addVerbosityFlags(diagnose).action(async (words: string[], options: RawDiagnoseOptions) => {
    const { analyseFiles } = await import('../read/targets-or-files.ts');
    if (captureFiles(words)) {
      if (options.write !== undefined || options.scope !== undefined)
        throw usage('-w and --scope are for targets that are captured; files are read as they are.');
      setExit(await analyseFiles(words, options, 'findings'));
      return;
    }
    const { diagnoseTargets } = await import('./live.ts');
    setExit(await diagnoseTargets(words, options));
  });
  addExamples(diagnose, [
    ['diagnose svc/web -n shop', 'half a minute of a Service and its clients'],
    ['diagnose svc/web -w incident.pcapng', 'the same, and the packets in a file'],
    ['diagnose incident.pcapng', 'a capture'],
    ['diagnose incident.pcapng --report incident.html', 'and a page for the ticket'],
    ['diagnose incident.pcapng --fail-on error', 'in a script: exit code 6 when something fails'],
  ]);
}
