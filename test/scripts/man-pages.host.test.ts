import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { manPages } from '../../scripts/man-pages.ts';

const pages = manPages();

test.each([...pages])('groff reads %s without a warning', (name, text) => {
  const { status, stdout, stderr } = spawnSync('groff', ['-ww', '-man', '-Tutf8'], { input: text, encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toContain(name.replace(/\.\d$/, ''));
});

test('what is not ASCII is shown all the same', () => {
  const input = pages.get('ksnoop-screen.7') ?? '';
  expect(input).toMatch(/^[\n\x20-\x7e]+$/);
  expect(spawnSync('groff', ['-man', '-Tutf8'], { input, encoding: 'utf8' }).stdout).toContain('← →');
});

test('what is typed can be copied from the page', () => {
  const { stdout } = spawnSync('groff', ['-man', '-Tutf8', '-P-cbou'], {
    input: pages.get('ksnoop.1') ?? '',
    encoding: 'utf8',
  });
  const text = stdout.replace(/\s+/g, ' ');
  expect(text).toContain('--max-bytes <SIZE>');
  expect(text).toContain('dst.service == "web"');
});
