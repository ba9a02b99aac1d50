import { spawnSync } from 'node:child_process';

/** What tshark says of a capture: one line of fields for each frame that the filter lets through, or undefined without tshark. */
export function tsharkFields(
  path: string,
  filter: string,
  fields: readonly string[],
  more: readonly string[] = [],
): string[][] | undefined {
  const wanted = fields.flatMap((field) => ['-e', field]);
  const { stdout, error } = spawnSync('tshark', ['-r', path, '-Y', filter, '-T', 'fields', ...wanted, ...more], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (error !== undefined) {
    console.warn('tshark is absent: nothing is compared with it');
    return undefined;
  }
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}
