import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { EXIT, type ExitCode, KsnoopError, messageOf } from '../../wire/errors.ts';
import { VERSION } from '../../wire/version.ts';
import { logger } from '../logger.ts';
import { colourFiltersText, preferencesText } from './files.ts';

/** What Wireshark calls it: `wireshark -C ksnoop`. */
export const PROFILE = 'ksnoop';

/** Tells that the folder is ours: Wireshark rewrites its own files and keeps no comments. */
const MARK = 'ksnoop-profile';

export interface RawProfileOptions {
  readonly quiet?: boolean;
}

/** `ksnoop wireshark-profile install` */
export function installProfile(raw: RawProfileOptions): ExitCode {
  const { warn } = logger({ quiet: raw.quiet === true, verbose: false });
  const folder = profileFolder();
  if (existsSync(folder) && !isInstalled(folder)) {
    throw new KsnoopError('FILE_EXISTS', `There is a profile ${folder} that is not ksnoop's.`, {
      hint: 'Rename it in Wireshark (Edit, Configuration Profiles).',
      exit: EXIT.usage,
    });
  }
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, MARK), `written by ksnoop ${VERSION}\n`);
    writeFileSync(join(folder, 'preferences'), preferencesText());
    writeFileSync(join(folder, 'colorfilters'), colourFiltersText());
  } catch (cause) {
    throw new KsnoopError('CANNOT_WRITE', `The profile ${folder} cannot be written: ${messageOf(cause)}.`, { cause });
  }
  warn(`wrote ${folder}; --wireshark uses it, and so does: wireshark -C ${PROFILE}`);
  return EXIT.done;
}

/** `ksnoop wireshark-profile uninstall` */
export function uninstallProfile(raw: RawProfileOptions): ExitCode {
  const { warn } = logger({ quiet: raw.quiet === true, verbose: false });
  const folder = profileFolder();
  if (!isInstalled(folder)) {
    warn(`there is no ${folder} of ksnoop`);
    return EXIT.done;
  }
  rmSync(folder, { recursive: true });
  warn(`removed ${folder}`);
  return EXIT.done;
}

/** The arguments with which Wireshark takes the profile; none when it is not installed. */
export function profileArguments(): string[] {
  return isInstalled(profileFolder()) ? ['-C', PROFILE] : [];
}

function isInstalled(folder: string): boolean {
  return existsSync(join(folder, MARK));
}

/**
 * Wireshark's personal configuration, by its own rule (WSUG, "Configuration File and Plugin Folders"): it is not asked,
 * for that takes longer than the first packet.
 */
function profileFolder(): string {
  return join(configurationFolder(), 'profiles', PROFILE);
}

function configurationFolder(): string {
  if (process.platform === 'win32') {
    return join(process.env.APPDATA ?? join(homedir(), 'AppData', 'Roaming'), 'Wireshark');
  }
  const folder = join(process.env.XDG_CONFIG_HOME || join(homedir(), '.config'), 'wireshark');
  const old = join(homedir(), '.wireshark');
  return !existsSync(folder) && existsSync(old) ? old : folder;
}
