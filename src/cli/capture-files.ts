import { closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { compressionOf } from '../run/input/compressions.ts';
import { PCAP_MAGICS } from '../wire/pcap-read.ts';
import { BLOCK } from '../wire/pcapng.ts';
import { isTerminal } from './terminal.ts';

/** Names of capture files, also of those that tcpdump -C numbers and of compressed ones. */
const NAME = /\.(?:pcap|pcapng|cap|ntar|dmp)\d*(?:\.(?:gz|zst|zstd|xz|bz2|lz4))?$/;

/** An absolute path, or one that starts with `./` or `../`. */
const PATH = /^(?:\.{0,2}\/|\.{1,2}$)/;

/** Whether a word is named as captures are. */
export function isCaptureName(word: string): boolean {
  return NAME.test(word);
}

/**
 * Whether words name capture files and not targets: `-` is stdin, a file exists and begins like a capture, a pipe has
 * been opened for the program, or a path is written as no target can be (`/tmp/x`, `./x`, an existing directory `x/`).
 */
export function captureFiles(words: readonly string[]): boolean {
  return words.length > 0 && words.every(isCaptureFile);
}

function isCaptureFile(word: string): boolean {
  if (word === '-') return !isTerminal('stdin');
  if (PATH.test(word)) return true;
  const stat = statSync(word, { throwIfNoEntry: false });
  if (stat === undefined) return isCaptureName(word);
  if (stat.isFIFO() || (stat.isDirectory() && word.endsWith('/'))) return true;
  return stat.isFile() && (isCaptureName(word) || beginsLikeACapture(word));
}

function beginsLikeACapture(path: string): boolean {
  const head = Buffer.alloc(4);
  try {
    const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      readSync(descriptor, head, 0, head.length, 0);
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return false;
  }
  const magic = head.readUInt32BE();
  return magic === BLOCK.sectionHeader || PCAP_MAGICS.has(magic) || compressionOf(head) !== undefined;
}
