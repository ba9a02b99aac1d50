import { expect, test } from 'vitest';
import { smtp } from '../../../../src/analyze/protocols/smtp/index.ts';
import { analyseBytes } from '../../../support/analysis.ts';
import { type BuiltSegment, builtPcap, handshake } from '../../../support/built-capture.ts';
import { brief } from '../brief.ts';
import { likesNoNoise, survivesMutations } from '../hardiness.ts';
import { play, playCut, type Step } from '../play.ts';

const TOO_MANY = '421 4.7.0 Too many connections, try later\r\n';

test.each<[string, string, string]>([
  ['one line', TOO_MANY, 'connect = 421 4.7.0 Too many connections, try later!'],
  ['several lines', '554-5.7.1 You may not\r\n554 at all\r\n', 'connect = 554 5.7.1 You may not!'],
  ['UTF-8', Buffer.from('554 Zürich\r\n').toString('latin1'), 'connect = 554 Zürich!'],
])('a refusal instead of the greeting, %s, cut anywhere', (_, words, expected) => {
  for (const events of playCut(smtp, [[1, words]])) {
    expect(brief(events)).toEqual([expected]);
    expect(events[0]).toMatchObject({
      route: 'connect',
      time: 0,
      requestBytes: 0,
      responseBytes: words.length,
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
    brief(
      play(smtp, [
        [1, '421 wait'],
        [1, { gap: 5 }],
        [0, 'QUIT\r\n'],
      ]),
    ),
  ).toEqual(['QUIT = ! [no response]']);
  const [long] = play(smtp, [[1, `421 ${'x'.repeat(600)}\r\n`]]);
  expect(long).toMatchObject({ responseBytes: 606, status: `421 ${'x'.repeat(508)}` });
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
  ['220 mail.test ESMTP Postfix\r\n', 'server'],
  ['220-mail.test ESMTP\r\n220 ready\r\n', 'server'],
  ['EHLO a.test\r\n', 'client'],
  ['ehlo [10.0.0.1]\r\n', 'client'],
  ['EHLO\r\n', 'no'],
  ['EH', 'more'],
  ['MAIL FROM:<a@b.test> SIZE=10\r\n', 'client'],
  ['RCPT TO:<>\r\n', 'client'],
  ['MAIL FROM:a\r\n', 'no'],
  ['HELO x\n', 'no'],
  ['RSET\r\n', 'no'],
  ['4210\r\n', 'no'],
  [`421 ${'x'.repeat(506)}\r\n`, 'server'],
  [`421 ${'x'.repeat(600)}`, 'no'],
])('%j looks like %s', (text, likeness) => {
  const bytes = Buffer.from(text, 'latin1');
  expect(smtp.probe(bytes, 0, bytes.length)).toBe(likeness);
});

test('a line that is cut off is not judged by what lies behind it', () => {
  const bytes = Buffer.from('421 Too many connections', 'latin1');
  expect(smtp.probe(bytes, 0, 8)).toBe('more');
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

const SESSION: Step[] = [
  [1, '220 mail.test ESMTP\r\n'],
  [0, 'EHLO web.test\r\n'],
  [1, '250-mail.test\r\n250-PIPELINING\r\n250 AUTH PLAIN LOGIN\r\n'],
  [0, 'AUTH LOGIN\r\n'],
  [1, '334 VXNlcm5hbWU6\r\n'],
  [0, 'Y2xlcms=\r\n'],
  [1, '334 UGFzc3dvcmQ6\r\n'],
  [0, 'aHVudGVyMg==\r\n'],
  [1, '535 5.7.8 no\r\n'],
  [0, 'AUTH PLAIN AGNsZXJrAGh1bnRlcjI=\r\n'],
  [1, '235 2.7.0 ok\r\n'],
  [0, 'MAIL FROM:<a@b.test> SIZE=10\r\nRCPT TO:<c@d.test>\r\nRCPT TO:<e@d.test>\r\nDATA\r\n'],
  [1, '250 2.1.0 ok\r\n250 2.1.5 ok\r\n550 5.1.1 unknown\r\n354 go on\r\n'],
  [0, 'Subject: x\r\n\r\n..\r\nQUIT\r\nRSET\r\n.\r\n'],
  [1, '250 2.0.0 queued as 7\r\n'],
  [0, 'BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n'],
  [1, '503 no\r\n250 ok\r\n'],
  [0, 'QUIT\r\n'],
  [1, '221 bye\r\n'],
];

const SAID = [
  'EHLO web.test = 250 mail.test',
  'AUTH LOGIN = 334',
  'AUTH response = 334',
  'AUTH response = 535 5.7.8 no!',
  'AUTH PLAIN = 235 2.7.0 ok',
  'MAIL FROM:<a@b.test> = 250 2.1.0 ok',
  'RCPT TO:<c@d.test> = 250 2.1.5 ok',
  'RCPT TO:<e@d.test> = 550 5.1.1 unknown!',
  'DATA = 354 go on',
  'message = 250 2.0.0 queued as 7',
  'BDAT = 503 no!',
  'NOOP = 250 ok',
  'QUIT = 221 bye',
];

const bytesOf = (steps: readonly Step[]): Step[] =>
  steps.map(([side, what]) => [side, typeof what === 'string' ? Buffer.from(what, 'latin1') : what]);

test('a whole session, cut anywhere: commands, messages, chunks, and no credential', () => {
  for (const detail of [true, false])
    for (const events of playCut(smtp, SESSION, { detail })) {
      if (detail) expect(brief(events)).toEqual(SAID);
      expect(events.map((event) => (event.kind === 'exchange' ? event.status : ''))).toEqual(SAID.map(statusOf));
      expect(JSON.stringify(events)).not.toMatch(/Y2xl|aHVu|AGNs|SIZE/);
    }
  const [first, , , , , mail] = play(smtp, SESSION, { detail: false });
  expect([first?.label, mail?.label]).toEqual(['EHLO', 'MAIL']);
});

const statusOf = (line: string) => (line.split(' = ')[1] ?? '').replace(/!$/, '');

test('times and sizes of a command and of a message', () => {
  const events = play(smtp, SESSION);
  expect(events[0]).toMatchObject({ time: 1e6, requestEnd: 1e6, responseTime: 2e6, requestBytes: 15, route: 'EHLO' });
  expect(events[9]).toMatchObject({ time: 13e6, responseEnd: 14e6, requestBytes: 33, route: 'message' });
});

test('STARTTLS hands over to TLS, a refused one does not', () => {
  const ask: Step[] = [
    [0, 'EHLO a\r\n'],
    [1, '250 STARTTLS\r\n'],
    [0, 'STARTTLS\r\n'],
  ];
  const refused = play(smtp, [...ask, [1, '454 no\r\n'], [0, 'NOOP\r\n'], [1, '250 ok\r\n']]);
  expect(brief(refused)).toEqual(['EHLO a = 250 STARTTLS', 'STARTTLS = 454 no!', 'NOOP = 250 ok']);
  const alert = Buffer.from('15030100020228', 'hex');
  const granted = play(smtp, [...ask, [1, '220 go on\r\n'], [1, alert]]);
  expect(brief(granted).slice(0, 2)).toEqual(['EHLO a = 250 STARTTLS', 'STARTTLS = 220 go on']);
  expect(granted[2]).toMatchObject({ protocol: 'tls', code: 'TLS_ALERT' });
});

test('without replies', () => {
  const asked: Step[] = [[0, 'EHLO a\r\n']];
  expect(brief(play(smtp, asked))).toEqual(['EHLO a = ! [no response]']);
  expect(brief(play(smtp, asked, { end: 'reset' }))).toEqual(['EHLO a = ! [reset]']);
  expect(brief(play(smtp, [...asked, [1, '250-x\r\n']], { end: 'capture ended' }))).toEqual([
    'EHLO a = 250 x [capture ended]',
  ]);
  const sending: Step[] = [
    [0, 'DATA\r\n'],
    [1, '354 go\r\n'],
    [0, 'abc'],
  ];
  expect(brief(play(smtp, sending))).toEqual(['DATA = 354 go', 'message = ! [no response]']);
});

test('with any step missing nothing is invented, and what follows is read again', () => {
  const steps = bytesOf(SESSION);
  for (let missing = 0; missing < steps.length; missing += 1) {
    const holed = steps.map(
      ([side, what], index): Step => (index === missing ? [side, { gap: (what as Uint8Array).length }] : [side, what]),
    );
    const events = play(smtp, holed);
    const said = brief(events).filter((line) => !line.includes('['));
    for (const line of said) expect(SAID, `step ${missing}`).toContain(line);
    if (missing < 15) expect(said, `step ${missing}`).toContain('QUIT = 221 bye');
    expect(JSON.stringify(events)).not.toMatch(/Y2xl|aHVu|AGNs|Subject/);
  }
});

test('survives any bytes', () => survivesMutations(smtp, [bytesOf(SESSION)], 1_000));

test('a client that does not wait for the greeting has its own replies', () => {
  const steps: Step[] = [
    [0, 'EHLO a\r\n', 0],
    [1, '220 x ESMTP\r\n'],
    [1, '250 x\r\n'],
  ];
  expect(brief(play(smtp, steps))).toEqual(['EHLO a = 250 x']);
});

test('a reply that no command asked for is an event', () => {
  const steps: Step[] = [
    [0, 'EHLO a\r\n'],
    [1, '250 x\r\n'],
    [1, '421  timeout\r\n'],
  ];
  for (const events of playCut(smtp, steps))
    expect(brief(events)).toEqual(['EHLO a = 250 x', 'SMTP_UNASKED_REPLY 421 timeout, which no command asked for']);
});
