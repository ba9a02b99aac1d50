import { arrayAt, type JsonObject, objectsAt, optionalString, stringsAt } from '../../wire/guard.ts';
import { fitsRequirement, type LabelOperator } from '../../wire/label-requirement.ts';

type Labels = Readonly<Record<string, string>>;

interface Requirement {
  readonly key: string;
  readonly operator: LabelOperator;
  readonly values: readonly string[];
}

/** A selector by labels: as the API takes it in a query, and as it is applied to labels at hand. */
export interface LabelSelector {
  /** For `labelSelector=`: `app=web,tier in (a,b)`. */
  readonly text: string;
  /** Whether `matches` can decide; else only the API server can, and `matches` is always true. */
  readonly local: boolean;
  matches(labels: Labels): boolean;
}

/**
 * A metav1.LabelSelector (matchLabels and matchExpressions, joined by and).
 * @returns undefined for an empty one: Kubernetes lets some of these select everything and others nothing, which the
 * caller has to decide
 */
export function labelSelector(selector: JsonObject): LabelSelector | undefined {
  const requirements = Object.entries(stringsAt(selector, 'matchLabels')).map(equals);
  for (const expression of objectsAt(selector, 'matchExpressions')) {
    const operator = OPERATORS.find((known) => known === expression.operator);
    if (operator === undefined) continue;
    const values = arrayAt(expression, 'values').filter((value): value is string => typeof value === 'string');
    requirements.push({ key: optionalString(expression, 'key') ?? '', operator, values });
  }
  return selectorOf(requirements);
}

/** The plain map that Services and ReplicationControllers select by; undefined for an empty one. */
export function mapSelector(labels: Labels): LabelSelector | undefined {
  return selectorOf(Object.entries(labels).map(equals));
}

/** A selector written by a person or by a scale subresource: the API server alone reads it. */
export function textSelector(text: string): LabelSelector {
  return { text, local: false, matches: () => true };
}

const OPERATORS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

function equals([key, value]: readonly [string, string]): Requirement {
  return { key, operator: 'In', values: [value] };
}

function selectorOf(requirements: readonly Requirement[]): LabelSelector | undefined {
  if (requirements.length === 0) return undefined;
  return {
    text: requirements.map(textOf).join(','),
    local: true,
    matches: (labels) => requirements.every((requirement) => holds(requirement, labels)),
  };
}

function textOf({ key, operator, values }: Requirement): string {
  const [only = ''] = values;
  switch (operator) {
    case 'In':
      return values.length === 1 ? `${key}=${only}` : `${key} in (${values.join(',')})`;
    case 'NotIn':
      return `${key} notin (${values.join(',')})`;
    case 'Exists':
      return key;
    case 'DoesNotExist':
      return `!${key}`;
  }
}

function holds({ key, operator, values }: Requirement, labels: Labels): boolean {
  return fitsRequirement(operator, values, Object.hasOwn(labels, key) ? labels[key] : undefined);
}
