import type { InputPath } from './paths.ts';

/** A part of many captures, for one of several processes. */
export interface Shard {
  /** From 0, as Kubernetes counts the indexes of a Job. */
  readonly index: number;
  readonly of: number;
}

/**
 * What the files of one capture have at the end of their names, by which they are told apart: `-00001` (ksnoop), `_00001_20261129140307` (dumpcap),
 * the digits behind `.pcap` (tcpdump -C).
 */
const NUMBERS = [/-\d{5,}(?=(?:\.[a-z0-9]+)*$)/i, /_\d{5}_\d{14}(?=(?:\.[a-z0-9]+)*$)/i, /(?<=\.pcap(?:ng)?)\d+$/i];

/** The capture that a file belongs to: the files of a series have one name. */
export function sequenceOf(path: string): string {
  const number = NUMBERS.find((pattern) => pattern.test(path));
  return number === undefined ? path : path.replace(number, '');
}

/**
 * The files of a shard: captures are dealt out in the order of their names, and the files of one capture stay together. Each file is in exactly
 * one shard; a shard may have none.
 */
export function inShard(inputs: readonly InputPath[], { index, of }: Shard): InputPath[] {
  const sequences = [...new Set(inputs.map(({ path }) => sequenceOf(path)))].sort();
  const own = new Set(sequences.filter((_, place) => place % of === index));
  return inputs.filter(({ path }) => own.has(sequenceOf(path)));
}
