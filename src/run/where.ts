import type { Condition } from '../analyze/engine/session.ts';

/** A `--where` expression, compiled. */
export interface WhereExpression {
  readonly text: string;
  readonly condition: Condition;
}

/**
 * Compile a `--where` expression.
 * @param text undefined and '' match everything
 * @returns undefined where everything matches
 * @throws KsnoopError USAGE (exit 2) with the position in the expression
 */
export async function whereExpression(text: string | undefined): Promise<WhereExpression | undefined> {
  if (text === undefined || text === '') return undefined;
  // Loaded only when it is used: the expression language is larger than all the rest.
  const { compileWhere } = await import('../analyze/where/where.ts');
  return { text, condition: compileWhere(text) };
}

/**
 * Check the expression of a recording's trigger, as the nodes will.
 * @param text undefined for none
 * @throws KsnoopError BAD_TRIGGER (exit 2) with the position in the expression
 */
export async function checkTrigger(text: string | undefined): Promise<void> {
  if (text === undefined) return;
  const { compileNodeWhere } = await import('../analyze/where/node-where.ts');
  compileNodeWhere(text, '--trigger');
}
