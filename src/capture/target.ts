import { EXIT, KsnoopError } from '../wire/errors.ts';
import type { PodView } from './kube/pod.ts';

/** One pod to capture (design: "What flows"), its containers already known to the runtime. */
export interface PodTarget {
  readonly pod: PodView;
  /** What its cgroup carries: the UID, or for a static pod the config hash. */
  readonly cgroupUid: string;
}

/** What the user named, before the cluster was asked. */
export interface TargetRef {
  readonly kind: string;
  readonly name: string;
}

/** Kinds that only `--local` knows. */
const LOCAL_KINDS = new Set(['netns', 'pid', 'host']);

/** `namespace/pod`, as people say it and as interface names start. */
export function podLabel(pod: PodView): string {
  return `${pod.namespace}/${pod.name}`;
}

/**
 * Read targets as kubectl takes them: `pod/web-1`, `po/web-1`, or `pod web-1 web-2`.
 * @param kindOf gives a kind's own name for any of its names, or undefined
 * @throws KsnoopError BAD_TARGET (exit 2)
 */
export function parseTargets(
  words: readonly string[],
  kindOf: (word: string) => string | undefined,
  kinds: readonly string[],
): TargetRef[] {
  const [first, ...rest] = words;
  if (first !== undefined && !first.includes('/') && rest.length > 0 && kindOf(first) !== undefined) {
    const kind = kindOf(first) ?? first;
    return rest.map((name) => parseOne(`${kind}/${name}`, kindOf, kinds));
  }
  return words.map((word) => parseOne(word, kindOf, kinds));
}

function parseOne(word: string, kindOf: (word: string) => string | undefined, kinds: readonly string[]): TargetRef {
  const [kindWord = '', name = '', ...more] = word.split('/');
  const kind = kindOf(kindWord);
  if (kind !== undefined && name !== '' && more.length === 0) return { kind, name };
  throw badTarget(word, kindWord, kind, kinds);
}

function badTarget(word: string, kindWord: string, kind: string | undefined, kinds: readonly string[]): KsnoopError {
  const refuse = (message: string, hint: string) => new KsnoopError('BAD_TARGET', message, { hint, exit: EXIT.usage });
  if (kind !== undefined) return refuse(`"${word}" does not say which ${kind}.`, `Write ${kind}/NAME.`);
  if (LOCAL_KINDS.has(kindWord)) return refuse(`"${word}" is no target of a cluster.`, 'On this machine: add --local.');
  if (!word.includes('/')) return refuse(`"${word}" names no target ksnoop knows.`, `Write a pod as pod/${word}.`);
  const hint = `Kinds that can be captured: ${kinds.join(', ')}.`;
  return refuse(`"${word}" is of a kind that ksnoop cannot capture yet.`, hint);
}
