import type { Durations } from '../record/repeated-exchanges.ts';
import { FIRST_BUCKET, LAST_BUCKET } from '../summary/histogram.ts';
import { amount, type Shape, WrongShape } from './shape.ts';

/** What a bucket counts at most. */
const COUNT_MAXIMUM = 2 ** 32 - 1;
const BASE = 36;

/** Characters of the text of a histogram with a count in each bucket. */
const CHARACTERS_MAXIMUM = (LAST_BUCKET - FIRST_BUCKET + 1) * 12;

/** One bucket: how far it is from the one before, and its count where that is not 1. */
const BUCKET = /^(-?[0-9a-z]{1,3})(?::([0-9a-z]{1,7}))?$/;

/** Durations as they travel: `[sum, max, "-8w 1:3 2"]`, one text, so that all are of one template. Empty for none. */
export function durationsText(durations: Durations | undefined): readonly [sum: number, max: number, buckets: string] {
  if (durations === undefined) return [0, 0, ''];
  const { sum, max, buckets } = durations;
  const parts: string[] = [];
  let before = 0;
  for (let at = 0; at < buckets.length; at += 2) {
    const [bucket = 0, count = 0] = buckets.slice(at, at + 2);
    const step = (bucket - before).toString(BASE);
    parts.push(count === 1 ? step : `${step}:${count.toString(BASE)}`);
    before = bucket;
  }
  return [sum, max, parts.join(' ')];
}

/** What durationsText made; undefined for none. */
export const durationsShape: Shape = (value, by) => {
  if (!Array.isArray(value) || value.length !== 3) throw new WrongShape('no durations');
  const [sum, max, text] = value as readonly unknown[];
  if (typeof text !== 'string' || text.length > CHARACTERS_MAXIMUM) throw new WrongShape('no buckets');
  if (text === '') return undefined;
  const buckets: number[] = [];
  let bucket = 0;
  for (const part of text.split(' ')) {
    const [, step = '', times = '1'] = BUCKET.exec(part) ?? [];
    const next = bucket + Number.parseInt(step, BASE);
    const count = Number.parseInt(times, BASE);
    const isNext = buckets.length === 0 ? next >= FIRST_BUCKET : next > bucket;
    if (!isNext || next > LAST_BUCKET || !(count >= 1 && count <= COUNT_MAXIMUM)) throw new WrongShape('no buckets');
    buckets.push(next, count);
    bucket = next;
  }
  return { sum: amount(sum, by), max: amount(max, by), buckets };
};

/** Hashes of request ids as they travel: four bytes each, in base64. */
export function hashesText(hashes: readonly number[]): string {
  const bytes = Buffer.alloc(hashes.length * 4);
  for (const [index, hash] of hashes.entries()) bytes.writeUInt32LE(hash, index * 4);
  return bytes.toString('base64');
}

/** What hashesText made. @throws WrongShape */
export function hashesOf(text: unknown): number[] {
  if (typeof text !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new WrongShape('no hashes');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.length % 4 !== 0) throw new WrongShape('no hashes');
  return Array.from({ length: bytes.length / 4 }, (_, index) => bytes.readUInt32LE(index * 4));
}
