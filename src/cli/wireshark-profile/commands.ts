import type { Command } from 'commander';
import { addExamples } from '../examples.ts';
import type { RawProfileOptions } from './install.ts';

/** `ksnoop wireshark-profile`: Wireshark's columns and colours for clusters. */
export function addProfileCommands(ksnoop: Command, setExit: (code: number) => void): void {
  const profile = ksnoop
    .command('wireshark-profile')
    .description("give Wireshark columns with pods' and Services' names, and a colour for each pod");
  profile
    .command('install')
    .description('write the profile "ksnoop"')
    .option('-q, --quiet', 'print only errors')
    .action(async (options: RawProfileOptions) => {
      const { installProfile } = await import('./install.ts');
      setExit(installProfile(options));
    });
  profile
    .command('uninstall')
    .description('remove it')
    .option('-q, --quiet', 'print only errors')
    .action(async (options: RawProfileOptions) => {
      const { uninstallProfile } = await import('./install.ts');
      setExit(uninstallProfile(options));
    });
  addExamples(profile, [
    ['wireshark-profile install', 'write the profile; --wireshark uses it'],
    ['wireshark-profile uninstall', 'remove it'],
  ]);
}
