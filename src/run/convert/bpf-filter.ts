import { spawnSync } from 'node:child_process';
import { type FilterProgram, parseProgram } from '../../wire/bpf.ts';
import { EXIT, KsnoopError, systemCode } from '../../wire/errors.ts';
import { SNAPLEN_MAXIMUM } from '../../wire/limits.ts';
import { pcapFileHeader } from '../../wire/pcap-write.ts';

const COMPILE_MS = 10_000;

/**
 * Have tcpdump compile a filter (pcap-filter(7)) for a link type. Nothing is opened: it is given an empty capture.
 * @throws KsnoopError BAD_FILTER with tcpdump's own words, NO_TCPDUMP (exit 2)
 */
export function compileFilter(expression: string, linkType: number): FilterProgram {
  const { status, stdout, stderr, error } = spawnSync('tcpdump', ['-r', '-', '-ddd', '--', expression], {
    input: pcapFileHeader(linkType, SNAPLEN_MAXIMUM),
    encoding: 'utf8',
    timeout: COMPILE_MS,
  });
  if (error !== undefined) {
    const missing = systemCode(error) === 'ENOENT';
    throw new KsnoopError('NO_TCPDUMP', `tcpdump, which compiles filters, could not be run: ${error.message}.`, {
      hint: missing ? 'Install tcpdump, or filter with --where.' : undefined,
      exit: EXIT.usage,
    });
  }
  if (status !== 0) {
    const words = stderr
      .split('\n')
      .filter((line) => line !== '' && !/^reading from file|^Warning/.test(line))
      .join(' ')
      .replace(/^tcpdump: /, '');
    throw new KsnoopError('BAD_FILTER', `The filter "${expression}" does not compile: ${words}.`, { exit: EXIT.usage });
  }
  return parseProgram(stdout);
}

/** A filter for packets of any link type: compiled once for each. */
export class PacketFilter {
  readonly #expression: string;
  readonly #programs = new Map<number, FilterProgram>();

  constructor(expression: string) {
    this.#expression = expression;
  }

  /** Compile it for a link type, once. @throws KsnoopError BAD_FILTER, NO_TCPDUMP */
  prepare(linkType: number): void {
    if (!this.#programs.has(linkType)) this.#programs.set(linkType, compileFilter(this.#expression, linkType));
  }

  /** Whether a packet passes; its link type was prepared. */
  passes(linkType: number, bytes: Uint8Array, offset: number, caplen: number, origlen: number): boolean {
    return this.#programs.get(linkType)?.passes(bytes, offset, caplen, origlen) === true;
  }
}
