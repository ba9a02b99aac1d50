import type { Command } from 'commander';
import { FAIL_ON_FLAG, FORMAT_FLAG, KEYLOG_FLAG, REPORT_FLAG, SECRETS_FLAG, WHERE_FLAG } from '../capture/flags.ts';
import { addExamples, type Example } from '../examples.ts';
import { addVerbosityFlags } from '../flags.ts';
import type { RawReadOptions } from './options.ts';

const EXAMPLES: readonly Example[] = [
  ['read incident.pcapng', 'requests and responses, line by line'],
  ['read incident.pcapng -o summary', 'services, errors, latencies'],
  ["read 'web-*.pcapng' --since 2m", 'the last two minutes of several files, as one capture'],
  ["read a.pcapng --where 'failed' -w failed.pcapng", 'the packets of the flows in which something failed'],
  ['read a.pcap.gz --from 14:03 --to 14:05 -o json', 'two minutes as JSON'],
  ['read a.pcapng --follow 7', 'one connection, both directions: heads, bodies, statements'],
  ['read a.pcapng --keylog keys.log', 'also what TLS connections carry, decrypted'],
  ['read - < incident.pcapng', 'a capture from a pipe'],
];

/** `ksnoop read`: captures that are in files. */
export function addReadCommand(ksnoop: Command, setExit: (code: number) => void): void {
  const read = ksnoop
    .command('read')
    .description('analyse capture files: requests, latency and failures')
    .argument(
      '[files...]',
      'pcap or pcapng, also compressed (gzip, zstd, xz, bzip2, lz4), or a directory of them; - for stdin',
    );
  addReadingFlags(read)
    .option(
      '--shard <I/N>',
      'of the files only the part I (from 0) of N, for N processes: files of one capture (web-00001, web-00002) stay together',
    )
    .option(
      '--follow [FLOW]',
      'with the number of a flow: show that flow, both directions; without a number: read on as the file grows',
    )
    .option('--hex', 'with --follow FLOW and --show-secrets: the bytes in hex and ASCII')
    .option(
      '--raw',
      'with --follow FLOW and --show-secrets: the bytes in hex, a line for each segment, those of the server indented',
    );
  addVerbosityFlags(read).action(async (files: string[], options: RawReadOptions) => {
    const { readCommand } = await import('./command.ts');
    setExit(await readCommand(files, options));
  });
  addExamples(read, EXAMPLES);
}

/** What is made of a capture that was taken before, and of which packets of it. */
export function addReadingFlags(command: Command): Command {
  return command
    .option(
      '-o, --output <FORMAT>',
      'text (default), json, summary, summary-state=FILE, findings, flows, trace, html, map, csv, parquet=DIR, har, curl, state, custom-columns=…, jsonpath=…, template=…, stream=FLOW, or packets',
    )
    .option('--json', 'summary, findings, flows, trace, map or packets as JSON')
    .option(...FORMAT_FLAG)
    .option(...REPORT_FLAG)
    .option(...WHERE_FLAG)
    .option('-f, --filter <BPF>', 'only packets that pass this pcap-filter(7) expression')
    .option(
      '--from <TIME>',
      'only packets from this time on: 2026-11-23T14:03:07Z, 14:03:07, 1764380000, +90s after the first packet, -5s before the last',
    )
    .option('--to <TIME>', 'only packets up to this time, written as for --from')
    .option(
      '--since <TIME>',
      'only the end of the capture: 30s, 2m, 1h before the last packet, or a time as for --from',
    )
    .option('--utc', 'show times in UTC, and take times of day as UTC')
    .option(
      '-w, --write <FILE>',
      'write the chosen packets to FILE instead: pcapng, or pcap if FILE ends in .pcap or with -o pcap',
    )
    .option('-s, --snaplen <BYTES>', 'with -w: bytes kept of each packet')
    .option('--force', 'overwrite an existing file')
    .option(...SECRETS_FLAG)
    .option(...KEYLOG_FLAG)
    .option('--no-keys', 'with -w: leave out the secrets of TLS connections that the capture holds')
    .option(
      '--body',
      'with text, json, har, stream and templates: also the bodies of HTTP requests and responses, decompressed',
    )
    .option(...FAIL_ON_FLAG);
}
