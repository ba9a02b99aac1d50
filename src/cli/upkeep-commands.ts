import type { Command } from 'commander';
import type { RawCleanupOptions } from './cleanup/command.ts';
import type { RawDoctorOptions } from './doctor/command.ts';
import { addExamples } from './examples.ts';
import { addClusterFlags, addTextOrJson } from './flags.ts';
import type { RawConfigOptions } from './settings/command.ts';

/** `ksnoop doctor`, `cleanup` and `config`: what is wrong, what was left behind, and what is set. */
export function addUpkeepCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const doctor = ksnoop
    .command('doctor')
    .description('check client, cluster, permissions, agents and Wireshark, and suggest fixes')
    .option('-n, --namespace <NAMESPACE>', "where you want to capture (default: the context's)");
  addClusterFlags(addTextOrJson(doctor)).action(async (options: RawDoctorOptions) => {
    const { doctorCommand } = await import('./doctor/command.ts');
    setExit(await doctorCommand(options));
  });
  addExamples(doctor, [
    ['doctor -n shop', 'whether captures in namespace shop will work'],
    ['doctor -o json | jq \'.[] | select(.state == "problem")\'', 'the problems, for programs'],
  ]);
  const cleanup = ksnoop
    .command('cleanup')
    .description('remove what captures left behind, on this machine and in the cluster')
    .option('--dry-run', 'only print what there is');
  addClusterFlags(addTextOrJson(cleanup)).action(async (options: RawCleanupOptions) => {
    const { cleanupCommand } = await import('./cleanup/command.ts');
    setExit(await cleanupCommand(options));
  });
  addExamples(cleanup, [
    ['cleanup --dry-run', 'what killed captures left behind'],
    ['cleanup --context prod', 'remove it, here and in the cluster of a context'],
  ]);
  const config = ksnoop
    .command('config')
    .description('show the defaults of flags, and which file or variable they come from');
  addTextOrJson(config).action(async (options: RawConfigOptions) => {
    const { configCommand } = await import('./settings/command.ts');
    setExit(await configCommand(ksnoop, options));
  });
  addExamples(config, [
    ['config', 'every setting, its value and where it comes from'],
    ['config -o json', 'the same for programs'],
  ]);
}
