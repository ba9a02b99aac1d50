import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inlineNumbers } from '../../scripts/inline-numbers.ts';

const TABLE = `
/** What it is. */
export const STOP = {
  none: 0,
  /** Not all, of it: 7, came. */
  cut: 16_384, // the rest: 3
  named: 'x',
  below: -1,
} as const;
export const OTHER = { none: 5 };
`;

describe('numbers of tables in the built program', () => {
  let directory = '';

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ksnoop-inline-'));
    writeFileSync(join(directory, 'table.ts'), TABLE);
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  async function built(code: string, within = directory): Promise<string> {
    const entry = join(directory, 'main.ts');
    writeFileSync(entry, code);
    const { outputFiles } = await build({
      entryPoints: [entry],
      external: ['./table.ts'],
      bundle: true,
      format: 'esm',
      write: false,
      plugins: [inlineNumbers(within)],
    });
    return outputFiles[0]?.text ?? '';
  }

  it('are written where an imported table is named, under any name', async () => {
    const text = await built(
      `import { STOP as S, type Kind } from './table.ts';\nexport const at = (n: number) => n === S.none || n > S.cut;\n`,
    );
    expect(text).toContain('n === 0 || n > 16384');
  });

  it('are written where a table of the file itself is named', async () => {
    const text = await built(`const OWN = { a: 3, b: 0x1f } as const;\nexport const f = (n: number) => n + OWN.b;\n`);
    expect(text).toContain('n + 31');
  });

  it('are not written for what is no number, no table, or is not in the table', async () => {
    const uses = ['STOP.named', 'STOP.below', 'STOP.missing', 'OTHER.none', 'own.STOP.none'];
    const text = await built(
      `import { OTHER, STOP } from './table.ts';\ndeclare const own: any;\nexport const f = () => [${uses.join(', ')}];\n`,
    );
    for (const use of uses) expect(text).toContain(use);
  });

  it('are not written in strings', async () => {
    const text = await built(
      `import { STOP } from './table.ts';\nexport const f = () => [STOP, 'a STOP.none', "STOP.none's", \`\${STOP.cut}\`];\n`,
    );
    expect(text).toContain('a STOP.none');
    expect(text).toContain("STOP.none's");
    expect(text).toContain('16384');
  });

  it('are not written in files elsewhere', async () => {
    const code = `import { STOP } from './table.ts';\nexport const f = () => STOP.cut;\n`;
    expect(await built(code, join(directory, 'src'))).toContain('STOP.cut');
  });
});
