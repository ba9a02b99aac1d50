// Real programs: nodemailer and Python's smtplib with a server of npm's smtp-server.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { smtp } from '../../../../src/analyze/protocols/smtp/index.ts';
import { SIDE } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { tsharkFields } from '../tshark-fields.ts';

const CAPTURE = join(import.meta.dirname, '../captures/smtp.pcap');
const ALL = conversations(CAPTURE);

test('logins, messages, refusals, and STARTTLS', async () => {
  expect(await briefOfFile(CAPTURE)).toMatchSnapshot();
});

test('the commands and replies that tshark sees, as often', async () => {
  const fields = ['smtp.req.command', 'smtp.response.code'];
  const rows = tsharkFields(CAPTURE, 'smtp', fields, ['-d', 'tcp.port==2525,smtp']);
  if (rows === undefined) return;
  const { events } = await analyseFile(CAPTURE);
  const exchanges = events.flatMap(({ event }) =>
    event.kind === 'exchange' && event.protocol === 'smtp'
      ? [event.fields.smtp as { command: string; code: number }]
      : [],
  );
  const of = (at: number) => rows.flatMap((row) => (row[at] ?? '').split(',').filter((text) => text !== ''));
  // tshark has the first four letters; to it a message, and the answer to a challenge, are no commands. ksnoop has
  // one word for all commands that it does not know.
  const commands = exchanges.flatMap(({ command }) =>
    /^[A-Z]+$/.test(command) ? [command.slice(0, 4)] : command === '(other command)' ? ['HUNT'] : [],
  );
  expect(commands.sort()).toEqual(
    of(0)
      .map((command) => command.toUpperCase())
      .sort(),
  );
  // Greetings answer nothing.
  const greetings = ALL.map(() => '220');
  const codes = [...exchanges.map(({ code }) => String(code)), ...greetings];
  expect(codes.sort()).toEqual(of(1).sort());
  expect(codes.length).toBeGreaterThan(40);
});

test('shows no credential and nothing of a message', async () => {
  expect(JSON.stringify((await analyseFile(CAPTURE)).events)).not.toMatch(/hunter2|aHVu|AHdl|d2Vi/);
});

test('any bytes: cut anywhere, changed, missing; from the middle of a connection', () => {
  const plain = ALL.map((steps) => {
    const hello = steps.findIndex(([, what]) => what instanceof Uint8Array && what[0] === 0x16);
    return hello < 0 ? steps : steps.slice(0, hello);
  });
  for (const steps of plain) {
    sameHoweverCut(smtp, steps, 3);
    inventsNothing(smtp, steps, ({ label }) => label);
    for (const [side, what] of steps) {
      if (!(what instanceof Uint8Array)) continue;
      const likeness = smtp.probe(what, 0, what.length);
      if (likeness === 'client') expect(side).toBe(SIDE.client);
      if (likeness === 'server') expect(side).toBe(SIDE.server);
    }
  }
  survivesMutations(smtp, plain, 300);
});
