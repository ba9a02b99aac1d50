import { createInterface } from 'node:readline';
import { targetKind } from '../../capture/kinds/index.ts';
import { objectName } from '../../capture/kinds/object.ts';
import { list } from '../../capture/kube/api.ts';
import type { Kube } from '../../capture/kube/kube.ts';
import { resourcePath } from '../../capture/kube/resource.ts';
import { sanitise } from '../../view/sanitise.ts';
import { EXIT, KsnoopError } from '../../wire/errors.ts';
import type { JsonObject } from '../../wire/guard.ts';

/** What is offered, in this order. */
const OFFERED = ['deployment', 'statefulset', 'daemonset', 'cronjob', 'service', 'ingress', 'pod'];

/** Lines of a list that a person still reads. */
const ROWS = 60;

/**
 * Let the user choose from what a namespace has, by numbers on the terminal.
 * @param ask shows a text and gives the line typed, undefined at the end of input
 * @returns words as the command line takes them
 * @throws KsnoopError NO_SUCH_TARGET (exit 3) when there is nothing, USAGE (exit 2) when nothing was chosen
 */
export async function pickTargets(
  kube: Kube,
  namespace: string,
  signal: AbortSignal,
  ask: (text: string) => Promise<string | undefined>,
): Promise<string[]> {
  const lists = await Promise.all(
    OFFERED.flatMap((word) => targetKind(word) ?? []).map(async ({ name, api, plural }) => {
      // What may not be listed is not offered.
      const { items } = await list(kube, resourcePath(api, namespace, plural), {}, signal).catch(
        (): { items: readonly JsonObject[] } => ({ items: [] }),
      );
      signal.throwIfAborted();
      return items.map((item) => `${name}/${objectName(item).name}`).sort();
    }),
  );
  const offered = lists.flat();
  if (offered.length === 0) {
    throw new KsnoopError('NO_SUCH_TARGET', `Namespace ${namespace} has no targets that you may list.`, {
      hint: 'Choose another with -n, or name a target: ksnoop pod/web-1',
      exit: EXIT.noTarget,
    });
  }
  let text = `Which targets in namespace ${namespace} do you want to capture?\n${menu(offered)}`;
  for (;;) {
    const line = await ask(`${text}Numbers or names, such as 1 3-5 svc/web: `);
    const chosen = line === undefined ? [] : choice(line, offered);
    if (typeof chosen === 'string') text = `${chosen}\n`;
    else if (chosen.length > 0) return chosen;
    else
      throw new KsnoopError('USAGE', 'No target was chosen.', {
        hint: 'Name a target: ksnoop pod/web-1',
        exit: EXIT.usage,
      });
  }
}

/** The numbered list. */
function menu(offered: readonly string[]): string {
  const shown = offered.slice(0, ROWS);
  const width = String(shown.length).length;
  const lines = shown.map((word, index) => `  ${String(index + 1).padStart(width)}  ${sanitise(word)}\n`);
  const rest = offered.length - shown.length;
  return lines.join('') + (rest === 0 ? '' : `  and ${rest} more: type their names\n`);
}

/** What a line chooses: numbers, ranges and names; or a sentence on what is wrong with it. */
export function choice(line: string, offered: readonly string[]): string[] | string {
  const chosen = new Set<string>();
  for (const word of line.split(/[\s,]+/).filter((part) => part !== '')) {
    const [, from, to] = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(word) ?? [];
    if (from === undefined) {
      const named = offered.filter((option) => option === word || option.split('/')[1] === word);
      if (named.length === 0 && !word.includes('/')) return `${sanitise(word)} is not in the list.`;
      for (const option of named.length === 0 ? [word] : named.slice(0, 1)) chosen.add(option);
      continue;
    }
    const last = Number(to ?? from);
    if (Number(from) < 1 || last > offered.length || last < Number(from)) return `${word} is not a number of the list.`;
    for (const option of offered.slice(Number(from) - 1, last)) chosen.add(option);
  }
  return [...chosen];
}

/** As `pickTargets`, on the terminal. */
export function pickOnTerminal(kube: Kube, namespace: string, signal: AbortSignal): Promise<string[]> {
  return pickTargets(kube, namespace, signal, (text) => askOnTerminal(text, signal));
}

/** Ask on the terminal: stdout stays free for data. */
async function askOnTerminal(text: string, signal: AbortSignal): Promise<string | undefined> {
  process.stderr.write(text);
  // The terminal stays as it is, so that Ctrl-C is still a signal.
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    return await new Promise<string | undefined>((resolve, reject) => {
      lines.once('line', resolve);
      lines.once('close', () => resolve(undefined));
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
  } finally {
    lines.close();
    process.stdin.pause();
  }
}
