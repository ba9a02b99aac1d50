import { askTshark } from '../oracle/cache.ts';
import { exceptionsOf } from '../oracle/tshark-exceptions.ts';

/** One frame's fields by name, each with all its occurrences, outermost first. */
export type LayerFrame = ReadonlyMap<string, readonly string[]>;

/**
 * What tshark says of every frame of a capture, every occurrence of a field, since in tunnels they repeat. Undefined when
 * it cannot open the file, or finds no frame in it.
 * @param filter of the frames that are asked for; empty for all
 */
export async function layerFrames(
  path: string,
  fields: readonly string[],
  preferences: readonly string[],
  filter = '',
): Promise<LayerFrame[] | undefined> {
  const argv = ['-T', 'fields', '-E', 'occurrence=a', '-E', 'aggregator=,', '-E', 'separator=/t'];
  for (const preference of preferences) argv.push('-o', preference);
  for (const field of fields) argv.push('-e', field);
  if (filter !== '') argv.push('-Y', filter);
  const exceptions = exceptionsOf(path);
  const question = ['all occurrences', fields, preferences, filter, ...exceptions];
  const output = await askTshark(path, [...argv, ...exceptions], question);
  if (output === '') return undefined;
  return output
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const values = line.split('\t');
      return new Map(fields.map((field, index) => [field, values[index] ? values[index].split(',') : []]));
    });
}
