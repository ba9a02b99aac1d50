import { shellWord } from './shell-word.ts';

/** The command as the user typed it, for the reader of a report. @param words of the command line, without the program's name */
export function typedCommand(words: readonly string[]): string {
  return ['ksnoop', ...words.map(shellWord)].join(' ');
}
