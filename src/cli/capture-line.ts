/** What is of `ksnoop` itself, wherever it stands on the line of the default command: the help lists all commands. */
const OF_KSNOOP: ReadonlySet<string> = new Set(['-h', '--help', '-V', '--version']);

/**
 * Whether a command line certainly is one of `ksnoop capture`, the default command: it begins with that name, with a flag of it, or with
 * a target that has a slash. Then the flags of the other commands need not be loaded and made.
 * @param words of the command line, without the program's name
 * @returns false where that is not certain
 */
export function isCaptureLine(words: readonly string[]): boolean {
  const [first = ''] = words;
  const begins = first === 'capture' || /^--?[a-zA-Z]/.test(first) || first.includes('/');
  return begins && !words.some((word) => OF_KSNOOP.has(word));
}
