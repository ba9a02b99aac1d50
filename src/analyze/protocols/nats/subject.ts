import { CacheOfTexts } from '../../record/text-cache.ts';
import { oneLine } from '../one-line.ts';

/** Words of a subject that name one thing among many: numbers, UUIDs, hexadecimal ids, NATS' own ids (NUID) of 22 letters. */
const ID =
  /^(?:\d+|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{16,}|(?=\S*\d)[0-9A-Za-z]{22,})$/i;

const cache = new CacheOfTexts();

/** What a subject is counted under: ids left out, replies as one: `orders.*.created`, `_INBOX.*`. */
export function subjectRoute(subject: string): string {
  return cache.of(subject, '', () => {
    if (subject.startsWith('_INBOX.')) return '_INBOX.*';
    const words = oneLine(subject).split('.');
    return words.map((word) => (ID.test(word) ? '*' : word)).join('.');
  });
}

/** Whether a subscription's subject, with its wildcards, takes messages of a subject. */
export function subscribes(pattern: string, subject: string): boolean {
  if (pattern === subject) return true;
  if (!pattern.includes('*') && !pattern.endsWith('>')) return false;
  const wanted = pattern.split('.');
  const words = subject.split('.');
  for (let index = 0; index < wanted.length; index += 1) {
    if (wanted[index] === '>') return words.length > index;
    if (index >= words.length || (wanted[index] !== '*' && wanted[index] !== words[index])) return false;
  }
  return wanted.length === words.length;
}

/** What the subject says that acknowledges a message of JetStream. */
export interface AckSubject {
  readonly stream: string;
  readonly consumer: string;
  /** The message's number in its stream. */
  readonly sequence: number;
}

/**
 * Reads `$JS.ACK.STREAM.CONSUMER.DELIVERED.SEQUENCE.….TIME.PENDING`, also with domain and account behind `ACK` (NATS ADR-15);
 * undefined for another subject.
 */
export function ackSubject(subject: string): AckSubject | undefined {
  if (!subject.startsWith('$JS.ACK.')) return undefined;
  const words = subject.split('.');
  const from = words.length === 9 ? 2 : words.length >= 11 ? 4 : -1;
  if (from < 0) return undefined;
  const sequence = Number(words[from + 3]);
  if (!Number.isSafeInteger(sequence)) return undefined;
  return { stream: oneLine(words[from] ?? ''), consumer: oneLine(words[from + 1] ?? ''), sequence };
}
