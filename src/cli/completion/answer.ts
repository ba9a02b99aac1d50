import type { Argument, Command, Option } from 'commander';
import { TARGET_KINDS, targetKind } from '../../capture/kinds/index.ts';
import { type Candidate, type CompletionAnswer, NOTHING } from './candidate.ts';
import type { LiveNames, Place } from './live-names.ts';
import { fixedValues, takesFile } from './option-values.ts';
import { type Situation, situationOf } from './situation.ts';

/** Commands that take targets, or capture files in their place. */
const TAKE_FILES: ReadonlySet<string> = new Set(['top', 'trace', 'diagnose']);

/**
 * What the unfinished last word may become.
 * @param live the cluster's names; queried only where a name is typed
 */
export async function complete(root: Command, words: readonly string[], live: LiveNames): Promise<CompletionAnswer> {
  const situation = situationOf(root, words);
  const { typing } = situation;
  if (typing.kind === 'flag') return offered(flags(situation), typing.text);
  if (typing.kind === 'value') return valuesFor(typing.option, typing, situation, live);
  const commands = situation.open ? subcommands(root, situation) : [];
  const name = situation.command.name();
  if (name !== 'capture' && !TAKE_FILES.has(name)) {
    const { registeredArguments: known } = situation.command;
    const last = known.at(-1);
    const argument = known[situation.positionals.length] ?? (last?.name() === 'files' ? last : undefined);
    const choices = argument?.name() === 'command|topic' ? await helpNames(root, situation) : fixed(argument);
    return { ...offered([...commands, ...choices], typing.text), files: argument?.name() === 'files' };
  }
  const targets = await targetsOf(situation, typing.text, live);
  const candidates = [...startingWith(commands, typing.text), ...targets.candidates];
  // Their words may be files as well: of top only one.
  const files = TAKE_FILES.has(name) && (name !== 'top' || situation.positionals.length === 0);
  return { candidates, unfinished: isUnfinished(candidates), files };
}

function fixed(argument: Argument | undefined): Candidate[] {
  return argument?.argChoices?.map((value) => ({ value, about: '' })) ?? [];
}

/** What `ksnoop help` accepts: commands, commands of commands, topics. */
async function helpNames(root: Command, { positionals }: Situation): Promise<Candidate[]> {
  const [first] = positionals;
  const parent = first === undefined ? root : root.commands.find((command) => command.name() === first);
  const commands = parent === undefined ? [] : named(parent);
  if (first !== undefined) return commands;
  const { TOPICS } = await import('../help/index.ts');
  return [...commands, ...TOPICS.map(({ name, summary }) => ({ value: name, about: summary }))];
}

function flags({ command, values }: Situation): Candidate[] {
  return command.options
    .filter((option) => !option.hidden && (option.variadic || !values.has(option.attributeName())))
    .flatMap(({ long, description }) =>
      long === undefined || long === null ? [] : [{ value: long, about: description }],
    );
}

/** The commands the word at the cursor may still choose. */
function subcommands(root: Command, { command }: Situation): Candidate[] {
  return named(command.name() === 'capture' ? root : command);
}

function named(parent: Command): Candidate[] {
  const commands = parent.createHelp().visibleCommands(parent);
  return commands.map((child) => ({ value: child.name(), about: child.description() }));
}

async function valuesFor(
  option: Option,
  { text, before }: { readonly text: string; readonly before: string },
  situation: Situation,
  live: LiveNames,
): Promise<CompletionAnswer> {
  const name = option.attributeName();
  if (takesFile(name)) return before === '' ? { ...NOTHING, files: true } : NOTHING;
  if (name === 'where') return expressionFor(text, before);
  // Of a list only its last item is unfinished.
  const comma = ['namespace', 'node'].includes(name) ? text.lastIndexOf(',') + 1 : 0;
  const values = (await fixedValues(situation.command.name(), option)) ?? (await liveValues(name, situation, live));
  const answer = offered(values, text.slice(comma));
  const head = before + text.slice(0, comma);
  return { ...answer, candidates: answer.candidates.map(({ value, about }) => ({ value: head + value, about })) };
}

/** Of an expression its last word is unfinished: a field that begins like it. */
async function expressionFor(text: string, before: string): Promise<CompletionAnswer> {
  const word = /[\w.]*$/.exec(text)?.[0] ?? '';
  const head = text.slice(0, text.length - word.length);
  // Within quotes anything may stand.
  if (((head.match(/"/g)?.length ?? 0) & 1) === 1 || /^\d/.test(word)) return NOTHING;
  const { recordFields } = await import('../../analyze/protocols/all-fields.ts');
  const { fieldExamples } = await import('../../analyze/where/examples.ts');
  const fields = fieldExamples(recordFields()).filter(({ path }) => path.startsWith(word));
  // First the objects, `http.`, and the fields outside of them; the fields of an object once it is named.
  const steps = new Map<string, string>();
  for (const { path, type, about } of fields) {
    const dot = path.indexOf('.', word.length);
    const step = dot < 0 ? path : path.slice(0, dot + 1);
    steps.set(step, dot < 0 ? `${type}: ${about}` : '');
  }
  const candidates = [...steps].map(([step, about]) => ({ value: before + head + step, about }));
  return { candidates, unfinished: true, files: false };
}

async function liveValues(name: string, situation: Situation, live: LiveNames): Promise<Candidate[]> {
  const place = placeOf(situation);
  const plain = (values: readonly string[]) => values.map((value) => ({ value, about: '' }));
  switch (name) {
    case 'context':
      return plain(live.contexts(place));
    case 'namespace':
      return plain(await live.objects(place, namespaceKind));
    case 'node':
      return plain(await live.objects(place, nodeKind));
    case 'container':
      return plain(await live.containers(place, podsIn(situation)));
    case 'interface':
      return plain([...new Set(['any', 'eth0', 'lo', ...(await live.interfaces(place, podsIn(situation)))])]);
    default:
      return [];
  }
}

const kindCalled = (name: string) => TARGET_KINDS.find((kind) => kind.name === name) ?? TARGET_KINDS[0];
const namespaceKind = kindCalled('namespace');
const nodeKind = kindCalled('node');

const LOCAL_KINDS: readonly Candidate[] = [
  { value: 'pod/', about: 'a pod of this machine' },
  { value: 'netns/', about: 'a named network namespace' },
  { value: 'pid/', about: "a process's network namespace" },
  { value: 'host', about: "the machine's own network" },
];

/** `po` → `pod/`; `pod/w` → `pod/web-1`; `pod w` → `web-1`; `deploy/a,svc/w` → `deploy/a,svc/web`. */
async function targetsOf(situation: Situation, text: string, live: LiveNames): Promise<CompletionAnswer> {
  const { positionals, values } = situation;
  if (values.has('local')) {
    return offered(LOCAL_KINDS, text);
  }
  const head = text.slice(0, text.lastIndexOf(',') + 1);
  const word = text.slice(head.length);
  const [first] = positionals;
  const slash = word.indexOf('/');
  if (slash < 0 && first !== undefined && !first.includes('/')) {
    const kind = targetKind(first.split(',')[0] ?? '');
    return kind === undefined ? NOTHING : objectsOf(kind.name, '', head, word);
  }
  if (slash < 0) {
    const kinds = offered(kindNames(word), word).candidates;
    return { ...NOTHING, candidates: kinds.map(({ value, about }) => ({ value: head + value, about })) };
  }
  const kind = targetKind(word.slice(0, slash));
  return kind === undefined ? NOTHING : objectsOf(kind.name, word.slice(0, slash + 1), head, word.slice(slash + 1));

  async function objectsOf(name: string, kindWord: string, before: string, start: string): Promise<CompletionAnswer> {
    const names = await live.objects(placeOf(situation), kindCalled(name));
    const answer = offered(
      names.map((value) => ({ value, about: '' })),
      start,
    );
    return {
      ...answer,
      candidates: answer.candidates.map(({ value, about }) => ({ value: before + kindWord + value, about })),
    };
  }
}

/** Every kind by its own name; by another of its names when that is what is being typed. */
function kindNames(start: string): Candidate[] {
  const word = start.toLowerCase();
  return TARGET_KINDS.flatMap(({ name, aliases }) => {
    const known = name.startsWith(word)
      ? name
      : [...aliases].sort((a, b) => a.length - b.length).find((one) => one.startsWith(word));
    return known === undefined ? [] : [{ value: `${known}/`, about: '' }];
  });
}

function podsIn({ positionals }: Situation): string[] {
  return positionals.flatMap((word) => {
    const [kind = '', name = ''] = word.split('/');
    return targetKind(kind)?.name === 'pod' && name !== '' ? [name] : [];
  });
}

function placeOf({ values }: Situation): Place {
  return {
    kubeconfig: values.get('kubeconfig'),
    context: values.get('context'),
    // Of several, the first: names are only a help.
    namespace: values.get('namespace')?.split(',')[0],
  };
}

/** A kind with its slash waits for a name. */
function isUnfinished(candidates: readonly Candidate[]): boolean {
  return candidates.length > 0 && candidates.every(({ value }) => value.endsWith('/'));
}

function offered(candidates: readonly Candidate[], text: string): CompletionAnswer {
  return { candidates: startingWith(candidates, text), unfinished: false, files: false };
}

function startingWith(candidates: readonly Candidate[], text: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(text));
}
