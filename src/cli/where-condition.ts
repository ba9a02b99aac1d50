import type { Condition } from '../analyze/engine/session.ts';

/**
 * What `--where` says. @throws KsnoopError USAGE (exit 2) with the place in the expression
 */
export async function condition(text: string): Promise<Condition> {
  // Loaded only when it is wanted: the expression language is larger than all the rest.
  const { compileWhere } = await import('../analyze/where/where.ts');
  return compileWhere(text);
}
