/** Writes docs/errors.md anew from the registry of error codes: `node scripts/error-docs.ts`. A test says when it is out of date. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '../src/wire/errors.ts';

export const ERROR_DOCS = join(import.meta.dirname, '../docs/errors.md');

const HEAD = `# Error codes

An error message of ksnoop ends with its code in brackets, for example \`[NO_SUCH_TARGET]\`. Codes are stable: scripts may match them.
The table lists the exit code of a command that ends because of the error. An error of one target among several
does not end the command; it then exits with 4.

This page is written by scripts/error-docs.ts.

| code | meaning | exit code |
|---|---|---|
`;

/** The page as the registry has it. */
export function errorDocs(): string {
  const rows = Object.entries(ERROR_CODES).map(
    ([code, { meaning, exit }]) => `| \`${code}\` | ${meaning} | ${exit} |\n`,
  );
  return HEAD + rows.join('');
}

if (import.meta.main) writeFileSync(ERROR_DOCS, errorDocs());
