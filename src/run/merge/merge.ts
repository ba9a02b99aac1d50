import { createHash } from 'node:crypto';
import { addState } from '../../analyze/summary/state.ts';
import { readState } from '../../analyze/summary/state-read.ts';
import { SummaryTotals } from '../../analyze/summary/totals.ts';
import { KsnoopError } from '../../wire/errors.ts';
import { isObject, parseJson } from '../../wire/guard.ts';
import { openInput } from '../input/input.ts';
import { inputPaths } from '../input/paths.ts';
import { Parts } from './parts.ts';

/** Bytes of a file, decompressed. A state with every row that it may have is smaller. */
const FILE_BYTES = 64 * 1024 * 1024;

/**
 * Objects and lists in a file. A state with every row, status and histogram that it may have has fewer; each costs a hundred bytes of
 * memory and takes three in a file.
 */
const FILE_NESTED = 3_000_000;

/** Saved summaries, added up. */
export interface Merged {
  readonly totals: SummaryTotals;
  readonly parts: Parts;
  readonly files: number;
  /** Files with the content of an earlier one, which are not counted again: sentences. */
  readonly copies: readonly string[];
}

/**
 * Add up the summaries that `-o summary-state` has saved. Each file is read by itself, so memory does not grow with their number. A file that is
 * there twice counts once: times are in nanoseconds, so no two captures with packets have the same summary.
 * @param words files, directories and patterns; `-` for stdin; compressed or not
 * @throws KsnoopError NO_FILE, CANNOT_READ, TOO_MANY_FILES; DAMAGED_STATE where a file is no saved summary; INTERRUPTED
 */
export async function mergeStates(words: readonly string[], signal: AbortSignal): Promise<Merged> {
  const totals = new SummaryTotals();
  const parts = new Parts();
  const copies: string[] = [];
  /** Names of files by a digest of their content: a copy, a link or the same file compressed has the same. */
  const read = new Map<string, string>();
  const paths = inputPaths(words);
  for (const { path } of paths) {
    const name = path === '-' ? 'stdin' : path;
    const text = await textOf(path, name, signal);
    const digest = createHash('sha256').update(text).digest('base64');
    const original = read.get(digest);
    if (original !== undefined) {
      copies.push(`${name} has the same content as ${original}: it is counted once.`);
      continue;
    }
    read.set(digest, name);
    try {
      if (nested(text) > FILE_NESTED) throw damaged(name, `It has more than ${FILE_NESTED} objects and lists.`);
      const document = parseJson(text, 'saved summary');
      addState(totals, readState(document, { where: 'saved summary' }));
      if (isObject(document)) parts.add(document);
    } catch (cause) {
      if (cause instanceof KsnoopError && cause.code !== 'DAMAGED_STATE') throw damaged(name, cause.message, cause);
      throw cause;
    }
  }
  return { totals, parts, files: paths.length, copies };
}

/** How many objects and lists a JSON text has at most; brackets within strings count as well. */
function nested(text: string): number {
  let count = 0;
  for (const bracket of '{[') {
    for (let at = text.indexOf(bracket); at >= 0; at = text.indexOf(bracket, at + 1)) count += 1;
  }
  return count;
}

async function textOf(path: string, name: string, signal: AbortSignal): Promise<string> {
  const pieces: Buffer[] = [];
  let size = 0;
  const end = await openInput(path, { follow: false }).each(
    (bytes) => {
      size += bytes.length;
      if (size > FILE_BYTES) throw damaged(name, `It is larger than ${FILE_BYTES} bytes.`);
      pieces.push(Buffer.from(bytes));
      return undefined;
    },
    signal,
    () => {},
  );
  if (end.kind === 'aborted') throw new KsnoopError('INTERRUPTED', 'Interrupted before all files were read.');
  if (end.kind === 'truncated') throw damaged(name, `It stops at byte ${end.at} (${end.reason}).`);
  return Buffer.concat(pieces).toString('utf8');
}

function damaged(name: string, why: string, cause?: unknown): KsnoopError {
  return new KsnoopError('DAMAGED_STATE', `${name} is not a saved summary that can be read. ${why}`, {
    hint: 'Save it again: ksnoop read FILE… -o summary-state=NEW.json',
    cause,
  });
}
