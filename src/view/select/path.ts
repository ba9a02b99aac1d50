/** A step of a path: members, an element (from the end where negative), a slice, all of them, or those that fit. */
type Step =
  | { readonly kind: 'members'; readonly names: readonly string[] }
  | { readonly kind: 'element'; readonly index: number }
  | { readonly kind: 'slice'; readonly from: number; readonly to: number | undefined }
  | { readonly kind: 'all' }
  | { readonly kind: 'fitting'; readonly path: Path; readonly comparison: Comparison | undefined };

/** `== "A"`; without one the member is there. */
interface Comparison {
  readonly operator: string;
  readonly value: string | number | boolean;
}

/** Where a value is in a record: `.src.pod`, `['http'].requestHeaders['x-request-id']`, `.hops[*].latency`, `.dns.answers[?(@.type=="A")].data`. */
export type Path = readonly Step[];

/** Steps of one path: a record is not deeper. */
const STEPS_MAXIMUM = 16;

const STEP =
  /\.(?<member>[A-Za-z_$][\w$-]*|\*)|\[(?<element>-?\d{1,6}|\*)\]|\[(?<from>-?\d{0,6}):(?<to>-?\d{0,6})\]|\[(?<names>(?:'[^'\]]{1,200}'|"[^"\]]{1,200}")(?:,(?:'[^'\]]{1,200}'|"[^"\]]{1,200}")){0,15})\]|\[\?\(@(?<where>(?:\.[A-Za-z_$][\w$-]{0,200}|\[-?\d{1,6}\]){1,16}) {0,9}(?:(?<operator>[=!<>]=|[<>]) {0,9}(?<value>"[^"\\]{0,200}"|'[^'\\]{0,200}'|-?\d{1,20}(?:\.\d{1,20})?|true|false) {0,9})?\)\]/y;

/**
 * A path as kubectl's JSONPath has it, without descent (`..`). It is looked up, never evaluated.
 * @returns undefined where the text is none
 */
export function parsePath(text: string): Path | undefined {
  const whole = /^[$@]/.test(text) ? text.slice(1) : text;
  const steps: Step[] = [];
  if (whole === '.' || whole === '') return [];
  STEP.lastIndex = 0;
  let at = 0;
  while (at < whole.length) {
    STEP.lastIndex = at;
    const found = STEP.exec(whole)?.groups;
    if (found === undefined || steps.length >= STEPS_MAXIMUM) return undefined;
    at = STEP.lastIndex;
    const step = stepOf(found);
    if (step === undefined) return undefined;
    steps.push(step);
  }
  return steps;
}

function stepOf(found: Readonly<Record<string, string | undefined>>): Step | undefined {
  const { member, element, from, to, names, where, operator, value } = found;
  if (member === '*' || element === '*') return { kind: 'all' };
  if (member !== undefined) return { kind: 'members', names: [member] };
  if (element !== undefined) return { kind: 'element', index: Number(element) };
  if (from !== undefined) return { kind: 'slice', from: Number(from), to: to === '' ? undefined : Number(to) };
  if (names !== undefined) return { kind: 'members', names: namesOf(names) };
  const path = parsePath(where ?? '');
  if (path === undefined) return undefined;
  return {
    kind: 'fitting',
    path,
    comparison: operator === undefined ? undefined : { operator, value: literal(value) },
  };
}

/** `'a',"b"`. */
function namesOf(list: string): string[] {
  return [...list.matchAll(/'([^']*)'|"([^"]*)"/g)].map(([, one, other]) => one ?? other ?? '');
}

function literal(text = ''): string | number | boolean {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^["']/.test(text) ? text.slice(1, -1) : Number(text);
}

/** The values at a path of a record: none where there is no such member, several where the path says so (`[*]`). */
export function valuesAt(record: unknown, path: Path): unknown[] {
  let values: unknown[] = [record];
  for (const step of path) values = values.flatMap((value) => taken(value, step));
  return values.filter((value) => value !== undefined);
}

function taken(value: unknown, step: Step): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  switch (step.kind) {
    case 'all':
      return Array.isArray(value) ? value : Object.values(value);
    case 'element':
      return Array.isArray(value) ? [value.at(step.index)] : [];
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case 'members':
      return step.names.flatMap((name) => (Object.hasOwn(value, name) ? [Reflect.get(value, name) as unknown] : []));
    case 'fitting':
      return Array.isArray(value) ? value.filter((each) => fits(each, step.path, step.comparison)) : [];
  }
}

function fits(element: unknown, path: Path, comparison: Comparison | undefined): boolean {
  const [found] = valuesAt(element, path);
  if (comparison === undefined) return found !== undefined;
  const { operator, value } = comparison;
  // As kubectl: what is not of one type is not equal, and not less or more.
  if (typeof found !== typeof value) return false;
  if (operator === '==') return found === value;
  if (operator === '!=') return found !== value;
  const one = found as string | number;
  if (operator === '<') return one < value;
  if (operator === '<=') return one <= value;
  return operator === '>' ? one > value : one >= value;
}
