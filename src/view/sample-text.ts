import type { SampleRecord } from '../analyze/record/sample-record.ts';
import { sanitise } from './sanitise.ts';
import { clockText } from './time-text.ts';
import { counted } from './units.ts';

/** Nodes that are named; of more it is said how many they are. */
const NODES_SHOWN = 3;

/** `A SAMPLE: since 14:03:07.123456 node-1 analysed 27 % of its packets; connections that were left out are in no count`. */
export function sampleText({ share, since, nodes }: SampleRecord, utc = false): string {
  const which =
    nodes.length === 0
      ? 'agents'
      : nodes.length > NODES_SHOWN
        ? counted(nodes.length, 'node')
        : nodes.map(sanitise).join(', ');
  return `A SAMPLE: since ${clockText(since, utc)} ${which} analysed ${percent(share)} of the packets; connections that were left out are in no count`;
}

/** For a line with little room: `sample 27 %`. */
export function shortSampleText({ share }: Pick<SampleRecord, 'share'>): string {
  return `sample ${percent(share)}`;
}

function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.floor(value) : value.toPrecision(2)} %`;
}
