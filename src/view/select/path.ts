/** A step of a path: a member, an element (from the end where negative), or all of them. */
type Step =
  | { readonly kind: 'member'; readonly name: string }
  | { readonly kind: 'element'; readonly index: number }
  | { readonly kind: 'all' };

/** Where a value is in a record: `.src.pod`, `['http'].requestHeaders['x-request-id']`, `.hops[*].latency`. */
export type Path = readonly Step[];

/** Steps of one path: a record is not deeper. */
const STEPS_MAXIMUM = 16;

const STEP =
  /\.(?<member>[A-Za-z_$][\w$-]*|\*)|\[(?<element>-?\d{1,6}|\*)\]|\[(?<quote>['"])(?<quoted>[^'"\]]{1,200})\k<quote>\]/y;

/**
 * A path as kubectl's JSONPath has it, without filters, slices and descent: `--where` chooses records. It is looked up, never
 * evaluated.
 * @returns undefined where the text is none
 */
export function parsePath(text: string): Path | undefined {
  const whole = text.startsWith('$') ? text.slice(1) : text;
  const steps: Step[] = [];
  if (whole === '.' || whole === '') return [];
  STEP.lastIndex = 0;
  while (STEP.lastIndex < whole.length) {
    const found = STEP.exec(whole)?.groups;
    if (found === undefined || steps.length >= STEPS_MAXIMUM) return undefined;
    const { member, element, quoted } = found;
    if (member === '*' || element === '*') steps.push({ kind: 'all' });
    else if (element !== undefined) steps.push({ kind: 'element', index: Number(element) });
    else steps.push({ kind: 'member', name: member ?? quoted ?? '' });
  }
  return steps;
}

/** The values at a path of a record: none where there is no such member, several where the path says `[*]`. */
export function valuesAt(record: unknown, path: Path): unknown[] {
  let values: unknown[] = [record];
  for (const step of path) values = values.flatMap((value) => taken(value, step));
  return values.filter((value) => value !== undefined);
}

function taken(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (step.kind === 'all') return Array.isArray(value) ? value : Object.values(value);
  if (step.kind === 'element') return Array.isArray(value) ? [value.at(step.index)] : [];
  return Object.hasOwn(value, step.name) ? [Reflect.get(value, step.name)] : [];
}
