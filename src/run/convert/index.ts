import { PcapWriter } from './pcap-writer.ts';
import { PcapngWriter } from './pcapng-writer.ts';
import type { CaptureWriter, Push, WrittenKeys } from './writer.ts';

/** Every format a capture can be written in: a new one is a file here and a line below. */
export const FORMATS = [
  {
    name: 'pcapng',
    endings: ['pcapng', 'ntar'],
    create: (push: Push, keys?: WrittenKeys): CaptureWriter => new PcapngWriter(push, keys),
  },
  { name: 'pcap', endings: ['pcap', 'cap', 'dmp'], create: (push: Push): CaptureWriter => new PcapWriter(push) },
] as const;

export type Format = (typeof FORMATS)[number];

/** The format of this name. */
export function formatNamed(name: string): Format | undefined {
  return FORMATS.find((format) => format.name === name);
}

/** The format a file's ending asks for; pcapng for any other. */
export function formatOf(path: string): Format {
  const ending = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase();
  return FORMATS.find(({ endings }) => endings.some((known) => known === ending)) ?? FORMATS[0];
}
