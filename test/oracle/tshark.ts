import { askTshark } from './cache.ts';

/** One frame's fields by name; empty where the frame has no such field. */
export type TsharkFrame = Readonly<Record<string, string>>;

export interface TsharkQuestion {
  /** Display filter fields, `tcp.srcport`; the first occurrence of each is taken. */
  readonly fields: readonly string[];
  /** Preferences, `ip.defragment:FALSE`. */
  readonly preferences?: readonly string[];
}

/** What tshark says of every frame of a capture file; undefined when it cannot open the file, or finds no frame in it. */
export async function tsharkFrames(path: string, question: TsharkQuestion): Promise<TsharkFrame[] | undefined> {
  const preferences = question.preferences ?? [];
  const argv = ['-T', 'fields', '-E', 'occurrence=f', '-E', 'separator=/t'];
  for (const preference of preferences) argv.push('-o', preference);
  for (const field of question.fields) argv.push('-e', field);
  const output = await askTshark(path, argv, [question.fields, preferences]);
  if (output === '') return undefined;
  const lines = output.split('\n').slice(0, -1);
  return lines.map((line) => {
    const values = line.split('\t');
    return Object.fromEntries(question.fields.map((field, index) => [field, values[index] ?? '']));
  });
}
