/** One thing the word at the cursor may become. */
export interface Candidate {
  readonly value: string;
  readonly about: string;
}

/** The answer to a shell: cobra's words, which kubectl's plugin completion speaks (spf13/cobra, ShellCompDirective). */
export interface CompletionAnswer {
  readonly candidates: readonly Candidate[];
  /** More follows in the same word, so no space is set behind it. */
  readonly unfinished: boolean;
  /** The shell's own completion of file names serves. */
  readonly files: boolean;
}

const NO_SPACE = 2;
const NO_FILES = 4;

export const NOTHING: CompletionAnswer = { candidates: [], unfinished: false, files: false };

/** The answer's lines: `value TAB words`, then the directive. */
export function answerText({ candidates, unfinished, files }: CompletionAnswer): string {
  const lines = candidates.map(({ value, about }) => (about === '' ? value : `${value}\t${about}`));
  return [...lines, `:${(unfinished ? NO_SPACE : 0) | (files ? 0 : NO_FILES)}`, ''].join('\n');
}
