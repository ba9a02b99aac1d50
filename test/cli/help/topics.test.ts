import { expect, test } from 'vitest';
import { examplesOf } from '../../../src/cli/examples.ts';
import { TOPICS } from '../../../src/cli/help/index.ts';
import { program } from '../../../src/cli/program.ts';
import { ANALYSIS_OUTPUT_NAMES } from '../../../src/run/analysis/index.ts';
import { OUTPUT_NAMES } from '../../../src/run/outputs/index.ts';
import { Colours } from '../../../src/view/colour.ts';
import { helpLines } from '../../../src/view/help-text.ts';
import { RESUME_WINDOW_MS } from '../../../src/wire/limits.ts';

test.each(TOPICS)('help on $name fits a terminal of 80 columns, and of 40', (topic) => {
  for (const width of [80, 40]) {
    const lines = helpLines(topic, width, new Colours(false));
    const terms = new Set(
      topic.sections
        .flatMap(({ parts }) => parts.flatMap((part) => ('terms' in part ? part.terms : [])))
        .map(([term]) => `  ${term}`),
    );
    const typed = topic.sections.flatMap(({ parts }) => parts.flatMap((part) => ('lines' in part ? part.lines : [])));
    const wide = lines.filter((line) => line.length > width && !terms.has(line) && !typed.includes(line.trim()));
    // A word that is longer than its column stands out of it rather than being cut.
    const words = (line: string) => line.slice([...terms].find((term) => line.startsWith(term))?.length ?? 0).trim();
    expect(wide.filter((line) => words(line).includes(' '))).toEqual([]);
  }
});

test.each(TOPICS)('every flag that help on $name speaks of is one of ksnoop', (topic) => {
  const ksnoop = program();
  const known = new Set(ksnoop.commands.flatMap(({ options }) => options.flatMap(({ long, short }) => [long, short])));
  const text = JSON.stringify(topic.sections.filter(({ title }) => title !== 'What the agent may do'));
  const flags = [...text.matchAll(/(?<![\w-])--[a-z][a-z-]+/g)].map(([flag]) => flag);
  expect(flags.filter((flag) => !known.has(flag))).toEqual([]);
});

test('ksnoop --help names every topic', () => {
  const help = program().commands.find((command) => command.name() === 'help');
  for (const { name } of TOPICS) expect(help?.description()).toContain(name);
});

test('help on security gives the time after which an agent stops, and the flag that changes it', () => {
  const topic = TOPICS.find((each) => each.name === 'security');
  expect(JSON.stringify(topic)).toContain(`stops after ${RESUME_WINDOW_MS / 1000} seconds (--resume-window)`);
  expect(JSON.stringify(topic)).not.toContain('15 seconds');
});

test.each([
  ['capture', OUTPUT_NAMES],
  ['read', ANALYSIS_OUTPUT_NAMES],
])('every output of ksnoop %s is in its help and in help on outputs', (name, outputs) => {
  const command = program().commands.find((each) => each.name() === name);
  const flag = command?.options.find(({ long }) => long === '--output')?.description ?? '';
  const topic = TOPICS.find((each) => each.name === 'outputs');
  const terms = topic?.sections.flatMap(({ parts }) => parts.flatMap((part) => ('terms' in part ? part.terms : [])));
  for (const output of outputs) {
    expect(flag.split(/[^\w-]+/)).toContain(output);
    expect(terms?.map(([term]) => term.split('=')[0])).toContain(output);
  }
});

test('help on outputs names the short form of traces, and every format is called FORMAT', () => {
  expect(JSON.stringify(TOPICS.find((each) => each.name === 'outputs'))).toContain('trace=summary');
  const flags = program().commands.flatMap(({ options }) => options.map((option) => option.flags));
  expect(flags.filter((flag) => flag.includes('FORM>'))).toEqual([]);
});

test('every command has examples, which begin with its name', () => {
  const commands = program().commands.filter((command) => !command.name().startsWith('_'));
  for (const command of commands) {
    if (['help', 'capture'].includes(command.name())) continue;
    const lines = examplesOf(command).map(([line]) => line);
    expect(lines.length, command.name()).toBeGreaterThan(0);
    for (const line of lines) expect(line.split(' ')).toContain(command.name());
  }
});
