import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { ownCommand } from '../../capture/own-program.ts';
import { EXIT, type ExitCode } from '../../wire/errors.ts';
import { readSettings } from '../settings/read.ts';
import { complete } from './answer.ts';
import { answerText, type CompletionAnswer, NOTHING } from './candidate.ts';
import { liveNames, type Place } from './live-names.ts';
import { endsInQuotes, keptByBash, withoutOpenQuote, wordsOf } from './words.ts';

/** A Tab is answered within 300 ms of this program's start, the last of them for ending. */
const ANSWER_MS = 250;

/** In the background a cluster may take longer: its credentials may have to be fetched first. */
const REFRESH_MS = 15_000;

/**
 * Answers a shell: completions of the last word. Prints no errors, because they would disturb the line being typed.
 * @param words after `ksnoop`, unless `line` has them
 */
export async function completionProgram(
  ksnoop: Command,
  words: readonly string[],
  { line, breaks, refresh }: { line?: string; breaks?: string; refresh?: boolean },
): Promise<ExitCode> {
  const typed = line === undefined ? withoutOpenQuote(words) : wordsOf(line, 'ksnoop');
  const left = refresh ? REFRESH_MS : Math.max(1, Math.round(ANSWER_MS - performance.now()));
  const deadline = AbortSignal.timeout(left);
  let answer: CompletionAnswer;
  try {
    const late = () => void (refresh || askLater(typed));
    answer = await complete(ksnoop, typed, await liveNames({ deadline, late, defaults: await placeSet() }));
  } catch {
    answer = NOTHING;
  }
  if (refresh) return EXIT.done;
  const kept = breaks === undefined || endsInQuotes(line ?? '') ? 0 : keptByBash(typed.at(-1) ?? '', breaks);
  const candidates = answer.candidates.map(({ value, about }) => ({ value: value.slice(kept), about }));
  await new Promise<void>((done) => process.stdout.write(answerText({ ...answer, candidates }), () => done()));
  return EXIT.done;
}

/** The place that the user's configuration names; a faulty one is reported when a command is run. */
async function placeSet(): Promise<Place> {
  const set = await readSettings().catch(() => []);
  const of = (name: string) => {
    const value = set.find(({ setting }) => setting.name === name)?.value;
    return typeof value === 'string' ? value : undefined;
  };
  return { kubeconfig: of('kubeconfig'), context: of('context'), namespace: of('namespace')?.split(',')[0] };
}

/** Repeats the query in a background process: the next Tab finds its answer. */
function askLater(words: readonly string[]): void {
  const [program, ...own] = ownCommand();
  const command = [...process.execArgv, ...own, '__complete', '--refresh', '--', ...words];
  spawn(program, command, { detached: true, stdio: 'ignore' }).unref();
}
