import { expect, test } from 'vitest';
import { smtp } from '../../../src/analyze/protocols/smtp.ts';
import { analyseBytes } from '../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../support/built-capture.ts';
import { brief } from './brief.ts';
import { likesNoNoise } from './hardiness.ts';
import { play, playCut, type Step } from './play.ts';

const TOO_MANY = '421 4.7.0 Too many connections, try later\r\n';

test.each<[string, string, string]>([
  ['one line', TOO_MANY, 'connect = 421 4.7.0 Too many connections, try later!'],
  ['several lines', '554-5.7.1 You may not\r\n554 at all\r\n', 'connect = 554-5.7.1 You may not!'],
  ['UTF-8', Buffer.from('554 Zürich\r\n').toString('latin1'), 'connect = 554 Zürich!'],
])('a refusal instead of the greeting, %s, cut anywhere', (_, words, expected) => {
  for (const events of playCut(smtp, [[1, words]])) {
    expect(brief(events)).toEqual([expected]);
    expect(events[0]).toMatchObject({
      route: 'connect',
      time: 0,
      requestBytes: 0,
      responseBytes: words.indexOf('\n') + 1,
    });
  }
});

test('a reply within a session answers a command that was not seen', () => {
  const [event] = play(smtp, [[1, TOO_MANY]], { midstream: true });
  expect(event).toMatchObject({
    label: '(request not seen)',
    incomplete: 'request not seen',
    failed: true,
    fields: { smtp: { code: 421, text: '4.7.0 Too many connections, try later' } },
  });
});

test('a line without an end is none, a line that is too long ends, secrets are masked', () => {
  expect(
    play(smtp, [
      [1, '421 wait'],
      [1, { gap: 5 }],
      [0, 'QUIT\r\n'],
    ]),
  ).toEqual([]);
  const [long] = play(smtp, [[1, `421 ${'x'.repeat(600)}\r\n`]]);
  expect(long).toMatchObject({ responseBytes: 512 });
  const secret: Step[] = [[1, '554 see https://a.test/?token=abcdef123456\r\n']];
  expect(JSON.stringify(play(smtp, secret))).not.toContain('abcdef');
  expect(JSON.stringify(play(smtp, secret, { showSecrets: true }))).toContain('abcdef');
});

test.each([
  ['4', 'more'],
  ['421', 'more'],
  ['421 busy', 'more'],
  ['421 busy\r', 'more'],
  ['421 busy\r\n', 'server'],
  ['421-busy\r\n421 later\r\n', 'server'],
  ['421\r\n', 'no'],
  ['421 \r\n', 'no'],
  ['421 busy\n', 'no'],
  ['421 bu\0sy\r\n', 'no'],
  ['421 busy\rx', 'no'],
  ['220 mail.test\r\n', 'no'],
  ['4210\r\n', 'no'],
  [`421 ${'x'.repeat(506)}\r\n`, 'server'],
  [`421 ${'x'.repeat(600)}`, 'no'],
])('%j looks like %s', (text, likeness) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(smtp.probe(bytes, 0, bytes.length)).toBe(likeness);
});

test('is recognised at any port but that of FTP, which has 421 too; noise is not', () => {
  const found = (port: number) => {
    const greeting = { side: 1, sequence: 1, acknowledgment: 1, flags: 'P.', payload: TOO_MANY, at: 5 } as const;
    const segments = [...handshake([0, 0]), greeting].map(
      (segment): BuiltSegment => ({ ...segment, ports: [40_000, port] }),
    );
    return brief(analyseBytes(builtPcap(segments)).events.map(({ event }) => event));
  };
  const refused = ['connect = 421 4.7.0 Too many connections, try later!'];
  expect([25, 1025, 21].map(found)).toEqual([refused, refused, []]);
  likesNoNoise(smtp, 200_000);
});
