import type { Case } from './cases.ts';

/** `38,361`. @param count a natural number. Without Intl, whose first use takes 20 ms. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 request`, `12 requests`, `3 queries`. */
export function counted(count: number, noun: string): string {
  return `${grouped(count)} ${count === 1 ? noun : plural(noun)}`;
}

function plural(noun: string): string {
  return noun.endsWith('y') ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}

/** `3 of 40 requests`. */
export function share({ cases, attempts }: Pick<Case, 'cases' | 'attempts'>, noun: string): string {
  return cases === attempts
    ? `all ${counted(attempts, noun)}`.replace(/^all 1 /, 'the only ')
    : `${grouped(cases)} of ${counted(attempts, noun)}`;
}

/** `12 ms`, `1.5 s`. @param nanoseconds not negative */
export function span(nanoseconds: number): string {
  if (nanoseconds < 1e6) return `${Math.round(nanoseconds / 1e3)} µs`;
  if (nanoseconds < 999.5e6) return `${Math.round(nanoseconds / 1e6)} ms`;
  return `${(nanoseconds / 1e9).toFixed(nanoseconds < 9.95e9 ? 1 : 0)} s`;
}

/** A CEL text literal. */
export function quoted(text: string): string {
  return JSON.stringify(text);
}

/** `a`, `a and b`, `a, b and 3 more`. @param isCut there are others than these: `a, b and others` */
export function listed(texts: readonly string[], shown = 2, isCut = false): string {
  if (isCut) return `${texts.slice(0, shown).join(', ')} and others`;
  if (texts.length <= 1) return texts[0] ?? '';
  if (texts.length <= shown) return `${texts.slice(0, -1).join(', ')} and ${texts.at(-1)}`;
  return `${texts.slice(0, shown).join(', ')} and ${texts.length - shown} more`;
}

/** Texts of a case, the most frequent first, as `listed` has them. */
export function examplesOf(one: Case, shown = 2): string {
  return listed(one.frequent(), shown, one.areTextsCut);
}

/** A Service. */
export interface ServiceName {
  readonly name: string;
  readonly namespace: string;
}

/** `svc/web -n shop` for a command. */
export function targetOf({ name, namespace }: ServiceName): string {
  return `svc/${name} -n ${namespace}`;
}

/** `ksnoop trace svc/web -n shop`; of what is no Service the requests in a file. */
export function traceOf(service: ServiceName | undefined): string {
  return `ksnoop trace ${service === undefined ? 'FILE' : targetOf(service)}`;
}

/** The namespace and name of a Service's `web.shop`; undefined for what means something to a shell. */
export function serviceParts(group: string): ServiceName | undefined {
  const parts = /^([a-z][a-z0-9-]*)\.([a-z0-9][a-z0-9-]*)$/.exec(group);
  return parts === null ? undefined : { name: parts[1] as string, namespace: parts[2] as string };
}
