/** The commands but capture, as a test compares them with the program's own. */
const OTHER_COMMANDS: ReadonlySet<string> = new Set([
  '__complete',
  'captures',
  'cleanup',
  'completion',
  'config',
  'delete',
  'diagnose',
  'diff',
  'doctor',
  'extcap',
  'help',
  'image',
  'install',
  'k9s-plugin',
  'observe',
  'read',
  'status',
  'stop',
  'top',
  'trace',
  'uninstall',
  'version',
  'wireshark-profile',
]);

/** What shows all commands, or what belongs to none of them. */
const OF_ALL_COMMANDS: ReadonlySet<string> = new Set(['-h', '--help', '-V', '--version']);

/**
 * Whether a command line certainly is one of `ksnoop capture`, the default command: then the flags of the others need not be made.
 * Making them takes a quarter of the time until a capture's first request.
 * @param words of the command line, without the program's name
 * @returns false where that is not certain
 */
export function isCaptureLine(words: readonly string[]): boolean {
  return words.length > 0 && !words.some((word) => OTHER_COMMANDS.has(word) || OF_ALL_COMMANDS.has(word));
}
