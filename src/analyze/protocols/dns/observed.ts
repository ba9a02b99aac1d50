import type { AnalysisEvent, Fields, FieldValue } from '../../record/event.ts';
import { isFields } from '../../record/field-values.ts';
import { placeOfFields } from '../../record/shared-fields.ts';

/** An address and what it was called when it was asked for. */
export interface ObservedAddress {
  /** RFC 5952 text. */
  readonly address: string;
  /** As asked for, in lower case, where the answer's aliases lead from it to the address; else the record's own name. */
  readonly name: string;
  /** Seconds. */
  readonly ttl: number;
}

const NOTHING: readonly ObservedAddress[] = [];

/**
 * The names that a DNS answer gives addresses: from the A and AAAA records in the fields of an event.
 * Without `detail` they are there when a question is first answered, and when its answer has changed.
 */
export function observedAddresses(event: AnalysisEvent): readonly ObservedAddress[] {
  if (event.protocol !== 'dns') return NOTHING;
  // Those that many exchanges share have question and rcode alone; not to look into them spares a fetch from memory for each.
  if (placeOfFields(event.fields) >= 0) return NOTHING;
  const { dns } = event.fields;
  if (!isFields(dns) || (dns.answers === undefined && dns.additional === undefined)) return NOTHING;
  if (dns.rcode !== 'NOERROR') return NOTHING;
  const answers = records(dns.answers);
  const question = lower(dns.name);
  const aliases = aliasesOf(question, answers);
  const found: ObservedAddress[] = [];
  for (const list of [answers, records(dns.additional)]) {
    for (const { name, type, ttl, data } of list) {
      if ((type !== 'A' && type !== 'AAAA') || typeof data !== 'string' || typeof ttl !== 'number') continue;
      if (data === '' || data.startsWith('\\')) continue;
      const owner = name === dns.name ? question : lower(name);
      found.push({ address: data, name: aliases?.has(owner) ? question : owner, ttl });
    }
  }
  return found;
}

/** The names to which a question's aliases lead, itself among them; undefined where there are no aliases, as mostly. */
function aliasesOf(question: string, answers: readonly Fields[]): ReadonlySet<string> | undefined {
  if (!answers.some(({ type }) => type === 'CNAME')) return undefined;
  const aliases = new Set([question]);
  // Aliases come in their order as a rule; each further pass finds one that did not.
  for (let before = 0; before < aliases.size; ) {
    before = aliases.size;
    for (const { name, type, data } of answers) {
      if (type === 'CNAME' && aliases.has(lower(name))) aliases.add(lower(data));
    }
  }
  return aliases;
}

const NO_RECORDS: readonly Fields[] = [];

function records(list: FieldValue | undefined): readonly Fields[] {
  return Array.isArray(list) ? list.filter(isFields) : NO_RECORDS;
}

function lower(value: FieldValue | undefined): string {
  return typeof value === 'string' ? value.toLowerCase() : '';
}
