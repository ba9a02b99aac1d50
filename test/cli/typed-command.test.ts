import { expect, it } from 'vitest';
import { typedCommand } from '../../src/cli/typed-command.ts';

it.each([
  ['http.path == "/login?password=SEKRET"', '***'],
  ['http.requestHeaders["x-api-key"] == "SEKRET1"', 'x-api-key'],
  ["http.requestHeaders['cookie'].contains('SEKRET')", 'cookie'],
  ['http.requestHeaders["x-a"] in ["SEKRET1"]', 'x-a'],
  ['fields.password != "SEKRET"', 'password'],
  ['label.contains("Bearer SEKRET")', 'label'],
])('a report shows the command without the secrets of --where: %s', (where, kept) => {
  const words = ['read', 'a.pcapng', '--where', where];
  expect(typedCommand(words, false)).not.toContain('SEKRET');
  expect(typedCommand(words, false)).toContain(kept);
  expect(typedCommand(words, true)).toContain('SEKRET');
});

it.each([
  ['http.status == 503', "'http.status == 503'"],
  ['http.requestHeaders["accept"].contains("json")', `'http.requestHeaders["accept"].contains("json")'`],
  ['dst.service == "shop/web" && http.path.startsWith("/cart")', undefined],
])('the rest of a command stays: %s', (where, word = `'${where}'`) => {
  expect(typedCommand(['read', 'a b.pcapng', '--where', where], false)).toBe(
    `ksnoop read 'a b.pcapng' --where ${word}`,
  );
});
