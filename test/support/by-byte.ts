import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect } from 'vitest';
import { CONVERSATIONS, type ConversationName } from '../oracle/loss/index.ts';
import { Random } from './random.ts';

/** What a function makes of bytes: `undefined` where it takes more of them. */
export type Judge = (bytes: Buffer, start: number, end: number) => unknown;

/** Bytes around a message that are none of its own: what reads past its end finds these. */
const AROUND = 16;
const FILLINGS = [0xee, 0x00];

/** What a byte is changed to: its neighbours, each bit of it, small numbers and the ends of the range. */
export function neighbours(value: number): number[] {
  const bits = Array.from({ length: 8 }, (_, bit) => value ^ (1 << bit));
  return [...new Set([...bits, value + 1, value - 1, 0, 1, 2, 3, 4, 5, 127, 255].map((other) => other & 255))];
}

/** Short: that two differ is what matters. */
export function digestOf(texts: readonly string[]): string {
  const hash = createHash('sha1');
  for (const text of texts) hash.update(`${text}\n\n`);
  return hash.digest('hex').slice(0, 6);
}

/** Bytes of a message that are changed. */
const CHANGED = 28;
/** Different answers in a row that are shown one by one. */
const PARTS = 24;
/** Lengths of a message's beginning. */
const LENGTHS = 80;

/** Every small number, and powers of two with their neighbours: where limits are. */
export const NUMBERS: readonly number[] = [
  ...Array.from({ length: 700 }, (_, value) => value),
  ...Array.from({ length: 23 }, (_, index) => 2 ** (index + 10)).flatMap((power) => [power - 1, power, power + 1]),
].filter((value) => value < 2 ** 32);

/** Those of two bytes. */
export const WORDS = NUMBERS.filter((value) => value < 2 ** 16);

/** @param fillings bytes around the message @returns an answer as text; both where bytes that are not the message's own decide */
export function judged(judge: Judge, message: Buffer, available = message.length, fillings = FILLINGS): string {
  const answers = fillings.map((filling) => {
    const bytes = Buffer.alloc(AROUND + available + AROUND, filling);
    message.copy(bytes, AROUND, 0, available);
    return shown(judge(bytes, AROUND, AROUND + available));
  });
  return [...new Set(answers)].join(' or ');
}

/** What becomes of a message as far as it has come. @param least bytes that the function is never called without */
export function byLength(name: string, message: Buffer, judge: Judge, least = 1): string {
  const count = Math.max(0, Math.min(message.length, LENGTHS) - least + 1);
  const lengths = Array.from({ length: count }, (_, index) => index + least);
  const answers = lengths.map((available): [number, string] => [available, judged(judge, message, available)]);
  const last = answers.at(-1)?.[1] ?? '';
  return `${name}: by length ${runs(answers.map(([available, answer]) => [available, answer === last ? last : brief(answer)]))}`;
}

/** As byLength, and with each byte of its beginning changed to each value: a limit that moves by one shows as a changed line. */
export function byByte(name: string, message: Buffer, judge: Judge, least = 1, changed = CHANGED): string[] {
  const unchanged = judged(judge, message, message.length, FILLINGS.slice(0, 1));
  const bytes = Array.from({ length: Math.min(changed, message.length) }, (_, at) => {
    const values = Array.from({ length: 256 }, (__, value): [number, string] => {
      const other = Buffer.from(message);
      other[at] = value;
      const answer = judged(judge, other, other.length, FILLINGS.slice(0, 1));
      return [value, answer === unchanged && answer.startsWith('{') ? 'same' : brief(answer)];
    });
    return `  byte ${at}, which is ${message[at]}: ${runs(values)}`;
  });
  return [byLength(name, message, judge, least), ...bytes.filter((line) => !/: 0–255 [^,]+$/.test(line))];
}

/** Of an object, by what it is known again. */
function brief(answer: string): string {
  return answer.startsWith('{') && !answer.includes(' or ') ? `#${hashOf(answer)}` : answer;
}

function hashOf(text: string): string {
  return createHash('sha1').update(text).digest('hex').slice(0, 8);
}

function shown(answer: unknown): string {
  if (typeof answer !== 'object' || answer === null) return String(answer);
  return JSON.stringify(answer, (_, value) =>
    typeof value === 'bigint' ? String(value) : value instanceof Map ? [...value] : (value as unknown),
  );
}

/** Messages of both sides as the makers of conversations make them, each with whose it is and its number. */
export function madeMessages(name: ConversationName, count = 3): [label: string, message: Buffer][] {
  const { opening, exchanges } = CONVERSATIONS[name](count, new Random(7));
  const own = exchanges.flatMap(({ request, response }) => [[0, request] as const, [1, response] as const]);
  return [...opening, ...own]
    .filter(([, bytes]) => bytes.length > 0)
    .map(([side, bytes], index) => [`${side === 0 ? 'client' : 'server'} ${index}`, bytes]);
}

/** What becomes of messages that differ in a number. */
export function byNumber(name: string, judge: (value: number) => unknown, values = NUMBERS): string {
  return `${name}: ${runs(values.map((value) => [value, shown(judge(value))]))}`;
}

/** `1–3 more, 4–80 client`; of answers that grow evenly with the number, the first and the last: `8–255 8…255`. */
function runs(all: readonly (readonly [number, string])[]): string {
  const parts: string[] = [];
  for (let at = 0; at < all.length; ) {
    const [first, answer] = all[at] as [number, string];
    let last = at;
    while (all[last + 1]?.[1] === answer) last += 1;
    const even = last === at ? evenEnd(all, at) : at;
    if (even > at) parts.push(`${first}–${all[even]?.[0]} ${answer}…${all[even]?.[1]}`);
    else parts.push(`${first}${last > at ? `–${all[last]?.[0]}` : ''} ${answer}`);
    at = Math.max(last, even) + 1;
  }
  if (parts.length <= PARTS) return parts.join(', ');
  return `${parts.slice(0, 3).join(', ')}, … ${parts.length} in all (${hashOf(parts.join())})`;
}

/** Up to where answers grow evenly, at least three of them; `from` where they do not. */
function evenEnd(all: readonly (readonly [number, string])[], from: number): number {
  const stepAt = (at: number) => {
    const [[value, answer], [next, other]] = [all[at] ?? [0, ''], all[at + 1] ?? [0, '']];
    return (Number(other || Number.NaN) - Number(answer || Number.NaN)) / (next - value);
  };
  const step = stepAt(from);
  let end = from;
  while (end + 1 < all.length && stepAt(end) === step) end += 1;
  return end >= from + 2 ? end : from;
}

/** What functions make of messages, each by length and by byte. @param readers by name: what is read, from how many bytes on, and how many are changed */
export function byReader(
  messages: Iterable<readonly [label: string, message: Buffer]>,
  readers: Readonly<Record<string, readonly [judge: Judge, least?: number, changed?: number]>>,
): string[] {
  return [...messages].flatMap(([label, message]) =>
    Object.entries(readers).flatMap(([name, [judge, least, changed]]) =>
      byByte(`${name}, ${label}`, message, judge, least, changed),
    ),
  );
}

/** Compares with test/golden/bytes/NAME.txt. When a change is meant: `vitest run -u --project unit` and the test. */
export async function expectLines(name: string, lines: readonly string[]): Promise<void> {
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(
    join(import.meta.dirname, '../golden/bytes', `${name}.txt`),
  );
}

/** A copy with another number, big-endian of this many bytes. */
export function withNumber(message: Buffer, at: number, size: 1 | 2 | 3 | 4, value: number): Buffer {
  const bytes = Buffer.from(message);
  bytes.writeUIntBE(value % 2 ** (8 * size), at, size);
  return bytes;
}
