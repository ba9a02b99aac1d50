/** Writes the manual pages into a directory: `node scripts/man-pages.ts DIRECTORY`. The build does it for dist/man. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { examplesOf } from '../src/cli/examples.ts';
import { TOPICS } from '../src/cli/help/index.ts';
import type { Part, Topic } from '../src/cli/help/topic.ts';
import { program } from '../src/cli/program.ts';
import { VERSION } from '../src/wire/version.ts';

/** The pages by their files' names, in man(7)'s language, from what --help and `ksnoop help TOPIC` show. */
export function manPages(): Map<string, string> {
  const ksnoop = program();
  ksnoop.name('ksnoop');
  const commands = ksnoop.createHelp().visibleCommands(ksnoop);
  const capture = commands.find((command) => command.name() === 'capture') ?? ksnoop;
  const others = commands.filter((command) => command !== capture && command.name() !== 'help');
  const also = [
    ...others.map((command) => `ksnoop-${command.name()}(1)`),
    ...TOPICS.map((topic) => `ksnoop-${topic.name}(7)`),
  ];
  const main = [
    head('ksnoop', 1),
    section('Name', `ksnoop ${DASH} ${escaped(firstLower(ksnoop.description().replace(/\.$/, '')))}`),
    section('Synopsis', synopsis(capture, 'ksnoop'), ...others.map((command) => `.br\n${synopsis(command)}`)),
    section('Description', escaped(`${ksnoop.description()} Without a command it captures.`)),
    section('Options of a capture', ...options(capture)),
    ...examples(capture),
    section('Commands', ...others.map((command) => term(command.name(), command.description()))),
    ...topicSections(
      TOPICS.find(({ name }) => name === 'outputs'),
      ['Exit codes'],
    ),
    section('See also', escaped(also.join(', '))),
  ];
  return new Map([
    ['ksnoop.1', page(main)],
    ...others.map((command): [string, string] => [`ksnoop-${command.name()}.1`, commandPage(command, also)]),
    ...TOPICS.map((topic): [string, string] => [`ksnoop-${topic.name}.7`, topicPage(topic, also)]),
  ]);
}

function commandPage(command: Command, also: readonly string[]): string {
  const name = `ksnoop-${command.name()}`;
  const inner = command
    .createHelp()
    .visibleCommands(command)
    .filter((child) => child.name() !== 'help');
  const own = options(command);
  return page([
    head(name, 1),
    section('Name', `${escaped(name)} ${DASH} ${escaped(command.description())}`),
    section(
      'Synopsis',
      ...(inner.length === 0 ? [synopsis(command)] : inner.map((child) => `${synopsis(child)}\n.br`)),
    ),
    ...(own.length === 0 ? [] : [section('Options', ...own)]),
    ...inner.map((child) =>
      section(`${command.name()} ${child.name()}`, escaped(child.description()), ...options(child)),
    ),
    ...examples(command),
    section('See also', escaped(['ksnoop(1)', ...also.filter((one) => one !== `${name}(1)`)].join(', '))),
  ]);
}

function topicPage(topic: Topic, also: readonly string[]): string {
  const name = `ksnoop-${topic.name}`;
  return page([
    head(name, 7),
    section('Name', `${escaped(name)} ${DASH} ${escaped(topic.summary)}`),
    ...topicSections(topic),
    section('See also', escaped(['ksnoop(1)', ...also.filter((one) => one !== `${name}(7)`)].join(', '))),
  ]);
}

function topicSections(topic: Topic | undefined, titles?: readonly string[]): string[] {
  const wanted = topic?.sections.filter(({ title }) => titles?.includes(title) ?? true) ?? [];
  return wanted.map(({ title, parts }) => section(title, ...parts.map(partText)));
}

function partText(part: Part): string {
  if ('text' in part) return `.PP\n${escaped(part.text)}`;
  if ('lines' in part) return `.PP\n.nf\n${part.lines.map(escaped).join('\n')}\n.fi`;
  return part.terms.map(([name, meaning]) => term(name, meaning)).join('\n');
}

/** man(7): a dash that is no minus sign. */
const DASH = '\\-';

function head(name: string, chapter: number): string {
  return `.TH "${name.toUpperCase().replaceAll('-', '\\-')}" "${chapter}" "" "ksnoop ${VERSION}" "ksnoop"`;
}

function section(title: string, ...content: readonly string[]): string {
  return `.SH "${escaped(title.toUpperCase())}"\n${content.join('\n')}`;
}

function term(name: string, meaning: string): string {
  return `.TP\n\\fB${escaped(name)}\\fR\n${escaped(meaning)}`;
}

function synopsis(command: Command, name = `ksnoop ${pathOf(command)}`): string {
  return `\\fB${escaped(name)}\\fR ${escaped(command.usage())}`;
}

function pathOf(command: Command): string {
  const parent = command.parent;
  return parent === null || parent.parent === null ? command.name() : `${pathOf(parent)} ${command.name()}`;
}

function options(command: Command): string[] {
  const help = command.createHelp();
  return help.visibleOptions(command).map((option) => term(help.optionTerm(option), help.optionDescription(option)));
}

/** Command lines to type, each with what it does. */
function examples(command: Command): string[] {
  const shown = examplesOf(command);
  if (shown.length === 0) return [];
  const lines = shown.map(([line, meaning]) => `.TP\n.nf\n\\fBksnoop ${escaped(line)}\\fR\n.fi\n${escaped(meaning)}`);
  return [section('Examples', ...lines)];
}

function page(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`;
}

/** Text that troff takes as it is: no escapes, no requests at the start of a line, hyphens that can be copied. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('"', '\\(dq')
    .replaceAll("'", '\\(aq')
    .replaceAll('^', '\\(ha')
    .replaceAll('~', '\\(ti')
    .replace(/[^\x20-\x7e]/gu, unicode)
    .replace(/^\./, '\\&.');
}

/** A character that troff does not read, by its number (groff_char(7)): pages are ASCII in whatever locale they are read. */
function unicode(character: string): string {
  return `\\[u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`;
}

function firstLower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** @param directory is made when it is not there */
export function writeManPages(directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const [name, text] of manPages()) writeFileSync(join(directory, name), text);
}

if (import.meta.main) writeManPages(process.argv[2] ?? 'man');
