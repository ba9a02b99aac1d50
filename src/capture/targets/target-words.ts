import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { TARGET_KINDS, targetKind } from '../kinds/index.ts';

/** A target as the user named it, not yet looked up in the cluster. */
export interface TargetRef {
  /** A kind's name as typed: a built-in kind's, or one that only the API server may have. */
  readonly kind: string;
  /** A name, or a pattern of names with `*`, `?` and `[…]`. */
  readonly name: string;
  /** Where it is, in full; undefined: in the namespaces and with the selectors that the user chose. */
  readonly namespace?: string | undefined;
}

/** Kinds of `--local` targets. */
const LOCAL_KINDS = new Set(['netns', 'pid', 'host']);

/**
 * Read targets as kubectl takes them: `pod/web-1`, `po/web-1 svc/web`, `pod web-1 web-2`, `deploy,sts web`,
 * `deploy/web,svc/api`; with a selector also `deploy` for all of them, and no words at all for pods.
 * @param selecting a selector narrows what is meant, so that a kind alone is no slip
 * @throws KsnoopError BAD_TARGET (exit 2)
 */
export function parseTargets(words: readonly string[], selecting: boolean): TargetRef[] {
  const [first, ...rest] = words;
  if (first === undefined) return selecting ? [{ kind: 'pod', name: '*' }] : [];
  if (first.includes('/')) return words.flatMap(parts).map(parseOne);
  const kinds = parts(first);
  const names = rest.flatMap(parts);
  if (names.length === 0 && !selecting) throw badTarget(first);
  const slip = names.find((name) => name.includes('/'));
  // `ksnoop instal pod/a`: the first word is the one that is wrong, unless it is a kind.
  if (slip !== undefined) throw badTarget(targetKind(first) === undefined ? first : slip);
  return kinds.flatMap((kind) => (names.length === 0 ? ['*'] : names).map((name) => ({ kind, name })));
}

/** Whether a name is a pattern. */
export function isPattern(name: string): boolean {
  return /[*?[]/.test(name);
}

/** What one part of a pattern matches: one character, or with `*` any number of them. */
type PatternPart = '*' | ((character: string) => boolean);

/**
 * Matches names with a pattern: `*` any characters, `?` one, `[a-c]` one of these, `[!a-c]` one of others. Its time is at most the
 * product of both lengths: a pattern is also a tenant's, whom a regular expression would let stop the controller.
 */
export function namePattern(pattern: string): (name: string) => boolean {
  const wanted = (pattern.match(/\[!?[^\]]*\]|[\s\S]/g) ?? []).map(patternPart);
  return (name) => {
    let [at, part] = [0, 0];
    // Behind the last `*`, and how far it reaches: no earlier one ever has to reach further.
    let [behind, reached] = [-1, 0];
    while (at < name.length) {
      const next = wanted[part];
      if (next === '*') {
        part += 1;
        [behind, reached] = [part, at];
      } else if (next?.(name.charAt(at))) {
        part += 1;
        at += 1;
      } else if (behind < 0) {
        return false;
      } else {
        reached += 1;
        [part, at] = [behind, reached];
      }
    }
    return wanted.slice(part).every((rest) => rest === '*');
  };
}

function patternPart(text: string): PatternPart {
  if (text === '*') return '*';
  if (text === '?') return () => true;
  const [, negated = '', set] = /^\[(!?)([^\]]*)\]$/.exec(text) ?? [];
  if (set === undefined) return (character) => character === text;
  try {
    const one = new RegExp(`[${negated && '^'}${set.replace(/[^\w-]/g, '\\$&')}]`);
    return (character) => one.test(character);
  } catch {
    // A range that ends before it begins.
    return () => false;
  }
}

function parts(word: string): string[] {
  return word.split(',').filter((part) => part !== '');
}

function parseOne(word: string): TargetRef {
  const [kind = '', name = '', ...more] = word.split('/');
  if (kind === '' || name === '' || more.length > 0 || LOCAL_KINDS.has(kind)) throw badTarget(word);
  return { kind, name };
}

function badTarget(word: string): KsnoopError {
  const refuse = (message: string, hint: string) => new KsnoopError('BAD_TARGET', message, { hint, exit: EXIT.usage });
  const [kindWord = ''] = word.split('/');
  const kind = targetKind(kindWord)?.name;
  if (kind !== undefined && word.split('/').length > 2)
    return refuse(`Invalid target "${word}".`, `Write ${kind}/NAME.`);
  if (kind !== undefined) {
    const all = `${kind}/NAME, or '${kind}/*' for all of them`;
    return refuse(`"${word}" names no ${kind}.`, `Write ${all}.`);
  }
  if (LOCAL_KINDS.has(kindWord))
    return refuse(`"${word}" is a target of this machine, not of a cluster.`, 'On this machine, add --local.');
  if (!word.includes('/')) return refuse(`Unknown command or target "${word}".`, `Write a pod as pod/${word}.`);
  return refuse(`Invalid target "${word}".`, `Write KIND/NAME. ${kindsHint()}`);
}

/** What can be named, for hints. */
export function kindsHint(): string {
  return `Kinds that can be captured: ${TARGET_KINDS.map(({ name }) => name).join(', ')}, and custom resources that own pods.`;
}
