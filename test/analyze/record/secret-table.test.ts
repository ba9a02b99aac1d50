import { describe, expect, it } from 'vitest';
import { masked } from '../../../src/analyze/protocols/redis/commands.ts';
import { maskStatement } from '../../../src/analyze/protocols/statement-secrets.ts';
import type { Exchange } from '../../../src/analyze/record/event.ts';
import { maskEvent } from '../../../src/analyze/record/mask-event.ts';
import { maskField } from '../../../src/analyze/record/secret-headers.ts';
import { maskTarget } from '../../../src/analyze/record/secrets.ts';
import { ORDINARY, SECRETS } from './secret-table.ts';

/** A text as a member of an event, which every output gets it as. */
function shown(protocol: string, text: string): string {
  const fields = { [protocol]: { text } };
  const event = { kind: 'exchange', protocol, label: '', status: '', route: '', fields } as unknown as Exchange;
  return (maskEvent(event).fields as typeof fields)[protocol]?.text ?? '';
}

/** What becomes of a text by where it stands: as its protocol masks it, and then as an event's. */
const PLACES: Readonly<Record<string, (text: string) => string>> = {
  header: (line) => {
    const [name = '', value = ''] = line.split(/: (.*)/s);
    return `${name}: ${maskField(name, value)}`;
  },
  target: (text) => shown('http', maskTarget(text)),
  body: (text) => shown('http', text),
  sql: (text) => shown('postgresql', maskStatement(text)),
  redis: (text) => {
    const [command = '', ...words] = text.split(' ');
    return shown('redis', [command, ...masked(command, words)].join(' '));
  },
};

const rows = (table: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(table).flatMap(([place, texts]) => texts.map((text) => ({ place, text })));

describe('secrets by where they stand', () => {
  it.each(rows(SECRETS))('$place: $text is masked', ({ place, text }) => {
    const secrets = [...text.matchAll(/‹([^›]*)/g)].flatMap(([, secret = '']) => secret.match(/[\w=+*~%-]{3,}/g) ?? []);
    expect(secrets).not.toEqual([]);
    const output = PLACES[place]?.(text.replace(/[‹›]/g, '')) ?? '';
    expect(output).toContain('***');
    for (const secret of secrets) expect(output).not.toContain(secret);
  });

  it.each(rows(ORDINARY))('$place: $text is shown', ({ place, text }) => {
    expect(PLACES[place]?.(text)).toBe(text);
  });
});
