import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, win32 } from 'node:path';
import { EXIT, type ExitCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { VERSION } from '../../wire/version.ts';
import { logger } from '../logger.ts';
import { colourFiltersText, preferencesText } from './files.ts';

/** What Wireshark calls it: `wireshark -C ksnoop`. */
export const PROFILE = 'ksnoop';

/** Marks the directory as ksnoop's: Wireshark rewrites its own files and keeps no comments. */
const MARK = 'ksnoop-profile';

export interface RawProfileOptions {
  readonly quiet?: boolean;
}

/** `ksnoop wireshark-profile install` */
export function installProfile(raw: RawProfileOptions): ExitCode {
  const { warn } = logger({ quiet: raw.quiet === true, verbose: false });
  const directory = profileDirectory();
  if (existsSync(directory) && !isInstalled(directory)) {
    throw new KsnoopError('FILE_EXISTS', `There is a profile ${directory} that is not ksnoop's.`, {
      hint: 'Rename it in Wireshark (Edit, Configuration Profiles).',
      exit: EXIT.usage,
    });
  }
  try {
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, MARK), `written by ksnoop ${VERSION}\n`);
    writeFileSync(join(directory, 'preferences'), preferencesText());
    writeFileSync(join(directory, 'colorfilters'), colourFiltersText());
  } catch (cause) {
    throw new KsnoopError('CANNOT_WRITE', `The profile ${directory} cannot be written: ${messageOf(cause)}.`, {
      cause,
    });
  }
  warn(`wrote ${directory}; --wireshark uses it, and so does: wireshark -C ${PROFILE}`);
  return EXIT.done;
}

/** `ksnoop wireshark-profile uninstall` */
export function uninstallProfile(raw: RawProfileOptions): ExitCode {
  const { warn } = logger({ quiet: raw.quiet === true, verbose: false });
  const directory = profileDirectory();
  if (!isInstalled(directory)) {
    warn(`${directory} does not exist or was not written by ksnoop`);
    return EXIT.done;
  }
  rmSync(directory, { recursive: true });
  warn(`removed ${directory}`);
  return EXIT.done;
}

/** The arguments with which Wireshark takes the profile; none when it is not installed. */
export function profileArguments(): string[] {
  return isInstalled(profileDirectory()) ? ['-C', PROFILE] : [];
}

function isInstalled(directory: string): boolean {
  return existsSync(join(directory, MARK));
}

/**
 * Wireshark's personal configuration, by its own rule (WSUG, "Configuration File and Plugin Folders"): it is not asked,
 * for that takes longer than the first packet.
 */
function profileDirectory(): string {
  return join(configurationDirectory(), 'profiles', PROFILE);
}

/** @param platform whose rule counts @param environment for XDG_CONFIG_HOME and APPDATA */
export function configurationDirectory(
  platform: NodeJS.Platform = process.platform,
  environment: NodeJS.ProcessEnv = process.env,
  home = homedir(),
): string {
  if (platform === 'win32') {
    return win32.join(environment.APPDATA ?? win32.join(home, 'AppData', 'Roaming'), 'Wireshark');
  }
  const directory = join(environment.XDG_CONFIG_HOME || join(home, '.config'), 'wireshark');
  const old = join(home, '.wireshark');
  return !existsSync(directory) && existsSync(old) ? old : directory;
}
