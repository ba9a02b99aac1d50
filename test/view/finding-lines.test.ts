import { expect, test } from 'vitest';
import type { Finding } from '../../src/analyze/findings/finding.ts';
import { Colours } from '../../src/view/colour.ts';
import { findingLines } from '../../src/view/finding-lines.ts';

const finding: Finding = {
  code: 'DNS_FAILS',
  severity: 'error',
  confidence: 'likely',
  subject: 'kube-dns',
  message: 'The DNS server kube-dns fails.',
  evidence: [{ text: 'responses', flows: [1, 2], times: [0, 1e9], where: 'failed' }],
  next: 'kubectl logs',
  otherwise: 'something else',
  cases: 3,
  attempts: 4,
};

const style = {
  colours: new Colours(false),
  utc: true,
  width: undefined,
  timeText: (time: number) => `2026-07-02T14:03:0${time / 1e9}.000000000Z`,
};

test('a finding is its sentence, then what it rests on, what to do, what else it may be', () => {
  expect(findingLines(finding, style)).toEqual([
    'ERROR (likely) The DNS server kube-dns fails. [DNS_FAILS]',
    '    Seen: responses from 14:03:00.000000 to 14:03:01.000000, flows 1, 2',
    '    Show: ksnoop read FILE --where failed',
    '    Next: kubectl logs',
    '    Or:   something else',
  ]);
});

test('an expression with a quote is one word of the command that shows it', () => {
  const where = `dns.name == "it's; reboot"`;
  const [evidence] = finding.evidence;
  const lines = findingLines({ ...finding, evidence: evidence ? [{ ...evidence, where }] : [] }, style);
  expect(lines[2]).toBe(`    Show: ksnoop read FILE --where 'dns.name == "it'\\''s; reboot"'`);
});

test.each([
  [['incident.pcapng'], 'ksnoop read incident.pcapng'],
  [['a b.pcapng', 'c.pcap'], "ksnoop read 'a b.pcapng' c.pcap"],
  [['-'], 'ksnoop read FILE'],
  [['1', '2', '3', '4', '5'], 'ksnoop read FILE'],
  [undefined, 'ksnoop read FILE'],
])('commands name the files %j', (paths, command) => {
  expect(findingLines(finding, { ...style, paths }).join('\n')).toContain(`    Show: ${command} --where failed`);
});

test('what is proven says nothing of it, and hostile texts do not reach the terminal', () => {
  const hostile: Finding = {
    ...finding,
    confidence: 'proven',
    severity: 'warning',
    message: 'a\u001b[2Jb',
    otherwise: undefined,
  };
  const [first = '', ...others] = findingLines(hostile, style);
  expect(first).toMatch(/^WARNING a/);
  expect(others.some((line) => line.includes('Or:'))).toBe(false);
  expect([first, ...others].join('')).not.toMatch(/[\u0000-\u001f\u007f-\u009f]/);
});

test('a next step that reads a file names it', () => {
  const next = 'To see where: ksnoop trace FILE. If not, profile it.';
  const shown = (paths: readonly string[] | undefined, keyLog?: string) =>
    findingLines({ ...finding, next }, { ...style, paths, keyLog }).find((line) => line.includes('Next:'));
  expect(shown(['$& b.pcapng'])).toBe("    Next: To see where: ksnoop trace '$& b.pcapng'. If not, profile it.");
  expect(shown(['b.pcapng'], 'keys')).toContain('ksnoop trace b.pcapng --keylog keys');
  expect(shown(undefined)).toContain('ksnoop trace FILE');
});
