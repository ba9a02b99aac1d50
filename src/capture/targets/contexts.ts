import { EXIT, KsnoopError } from '../../wire/errors.ts';
import { nearest } from '../../wire/near.ts';
import { contextNames } from '../kube/kubeconfig.ts';
import { CONTEXTS_MAXIMUM } from '../limits.ts';
import { mayBeSeveral } from './context-words.ts';
import { isPattern, namePattern } from './target-words.ts';

/**
 * The contexts that `--context` chooses where it is a list or a pattern: `prod-eu,prod-us`, `prod-*`. A context that is called
 * just so is that one.
 * @returns each once, in the order of the list; undefined where one context is named, or none
 * @throws KsnoopError CONTEXT_NOT_FOUND, USAGE (exit 2), and as `contextNames` has it
 */
export function chosenContexts({
  kubeconfig,
  context,
}: {
  readonly kubeconfig?: string | undefined;
  readonly context?: string | undefined;
}): readonly string[] | undefined {
  if (!mayBeSeveral(context)) return undefined;
  const { names } = contextNames(kubeconfig || undefined);
  if (names.includes(context)) return [context];
  const words = context.split(',').filter((word) => word !== '');
  const chosen = new Set(words.flatMap((word) => matching(word, names)));
  if (chosen.size === 0) throw new KsnoopError('USAGE', '--context takes the names of contexts.', { exit: EXIT.usage });
  if (chosen.size > CONTEXTS_MAXIMUM) {
    throw new KsnoopError('USAGE', `--context chooses ${chosen.size} contexts, and ${CONTEXTS_MAXIMUM} at most.`, {
      hint: 'Choose fewer with a narrower pattern.',
      exit: EXIT.usage,
    });
  }
  return [...chosen];
}

function matching(word: string, names: readonly string[]): readonly string[] {
  if (names.includes(word)) return [word];
  const found = isPattern(word) ? names.filter(namePattern(word)) : [];
  if (found.length > 0) return found;
  const near = nearest(word, names);
  const what = isPattern(word) ? `No context of the kubeconfig matches "${word}".` : `There is no context "${word}".`;
  throw new KsnoopError('CONTEXT_NOT_FOUND', what, {
    hint: near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'List them: kubectl config get-contexts',
    exit: EXIT.usage,
  });
}
