import type { Condition } from '../../analyze/engine/session.ts';
import { condition } from '../where-condition.ts';

/** An expression and what it says. */
export interface Where {
  readonly text: string;
  readonly condition: Condition;
}

/** @returns undefined for an empty one, which is for everything @throws KsnoopError USAGE with the place in the expression */
export async function whereOf(text: string | undefined): Promise<Where | undefined> {
  return text === undefined || text === '' ? undefined : { text, condition: await condition(text) };
}
