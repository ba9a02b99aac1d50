import { expect, test } from 'vitest';
import { CaptureProgress } from '../../../src/cli/capture/progress.ts';
import { CHANGES_SHOWN } from '../../../src/cli/limits.ts';
import { KsnoopError } from '../../../src/wire/errors.ts';

function heard() {
  const lines: string[] = [];
  const tell = (line: string) => void lines.push(line);
  return { lines, voice: new CaptureProgress({ warn: tell, info: tell, debug: () => {} }) };
}

test('who is there from the start is told always, who joins and leaves up to a bound, then counted', () => {
  const { lines, voice } = heard();
  for (let index = 0; index < 50; index += 1)
    voice.started('k', `shop/web-${index}`, { joined: false, sandboxMs: undefined });
  expect(lines).toHaveLength(50);
  for (let index = 0; index < 30; index += 1) {
    voice.started('k', `shop/new-${index}`, { joined: true, sandboxMs: 120 });
    voice.gone('k', `shop/web-${index}`);
  }
  expect(lines).toHaveLength(50 + CHANGES_SHOWN);
  expect(lines.slice(50, 52)).toEqual([
    'capturing shop/new-0, which joined, 120 ms after its network was there',
    'shop/web-0 is gone',
  ]);
  voice.close();
  expect(lines.at(-1)).toBe('20 more targets joined and 20 more are gone; the summary lists them');
  voice.close();
  expect(lines).toHaveLength(51 + CHANGES_SHOWN);
});

test('what failed for the same reason on every node is told once', () => {
  const { lines, voice } = heard();
  for (let index = 0; index < 50; index += 1) {
    voice.failed('k', `shop/web-${index}`, new KsnoopError('BAD_FILTER', 'tcpdump refuses the filter.'));
  }
  voice.failed('k', 'shop/api', new KsnoopError('NO_INTERFACE', 'Pod shop/api has no interface eth9.'));
  expect(lines).toEqual([
    'tcpdump refuses the filter. [BAD_FILTER]',
    'Pod shop/api has no interface eth9. [NO_INTERFACE]',
  ]);
});
