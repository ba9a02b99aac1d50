import type { SampleRecord } from '../analyze/record/sample-record.ts';
import { sanitise } from './sanitise.ts';
import { clockText } from './time-text.ts';
import { counted } from './units.ts';

/** Nodes that are named; of more it is said how many they are. */
const NODES_SHOWN = 3;

/** `A SAMPLE: since 14:03:07.123456 node-1 analysed 27 % of the packets; connections that were left out are in no count`. */
export function sampleText({ share, since, until, nodes }: SampleRecord, utc = false): string {
  const which =
    nodes.length === 0
      ? 'agents'
      : nodes.length > NODES_SHOWN
        ? counted(nodes.length, 'node')
        : nodes.map(sanitise).join(', ');
  const when =
    until === undefined ? `since ${clockText(since, utc)}` : `${clockText(since, utc)} to ${clockText(until, utc)}`;
  return `A SAMPLE: ${when} ${which} analysed ${percent(share)} of the packets; connections that were left out are in no count`;
}

/**
 * While a capture runs: a node leaves out connections, takes more again, or has caught up.
 * @param level, before as FoundReader.onSample has them
 */
export function sampleNote(node: string, level: number, before: number): string {
  const which = node === '' ? 'an agent' : sanitise(node);
  if (level === 0) return `${which} has caught up: all connections are analysed again`;
  const share = `1 of ${2 ** level} connections`;
  if (level < before) return `A SAMPLE: ${which} can analyse more again, ${share} from now on`;
  return `A SAMPLE: ${which} cannot keep up and analyses ${share} from now on`;
}

/** For a line with little room: `sample 27 %`. */
export function shortSampleText({ share }: Pick<SampleRecord, 'share'>): string {
  return `sample ${percent(share)}`;
}

function percent(share: number): string {
  const value = share * 100;
  return `${value >= 10 || value === 0 ? Math.floor(value) : value.toPrecision(2)} %`;
}
