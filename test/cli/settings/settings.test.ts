import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { program } from '../../../src/cli/program.ts';
import { applySettings } from '../../../src/cli/settings/apply.ts';
import { readSettings, settingsFiles } from '../../../src/cli/settings/read.ts';
import { SETTINGS, variableOf } from '../../../src/cli/settings/settable.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-config-'));
afterAll(() => rmSync(directory, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

let files = 0;
function file(text: string): string {
  const path = join(directory, `${++files}.yaml`);
  writeFileSync(path, text);
  return path;
}
const read = async (text: string, variables: Record<string, string> = {}) =>
  Object.fromEntries(
    (await readSettings({ KSNOOP_CONFIG: file(text), ...variables })).map(({ setting, value }) => [
      setting.name,
      value,
    ]),
  );

test('the file says names and sections; JSON is read as well', async () => {
  expect(
    await read('namespace: shop\ncapture:\n  snaplen: 128\n  quiet: true\ninstall:\n  pull-secret: [a, b]\n'),
  ).toEqual({
    namespace: 'shop',
    'capture.snaplen': '128',
    'capture.quiet': true,
    'install.pull-secret': ['a', 'b'],
  });
  expect(await read('{"context": "prod"}')).toEqual({ context: 'prod' });
  expect(await read('')).toEqual({});
  expect(await read('# nothing yet\n')).toEqual({});
});

test('the environment wins over the file, an empty variable says nothing', async () => {
  const variables = { KSNOOP_NAMESPACE: 'stage', KSNOOP_CONTEXT: '', KSNOOP_CAPTURE_QUIET: 'no' };
  expect(await read('namespace: shop\ncontext: prod\ncapture: {quiet: true}', variables)).toEqual({
    namespace: 'stage',
    context: 'prod',
    'capture.quiet': false,
  });
});

test.each([
  ['contxt: a', /"contxt" is not a setting\.$/, /Did you mean context\?/],
  ['output: text', /"output" is not a setting/, /Did you mean capture\.output\?/],
  ['captur: {output: text}', /"captur" is not a setting/, /./],
  ['capture: {write: x}', /"capture.write" is not a setting/, /./],
  ['namespace: [a]', /namespace must be a text, not \["a"\]/, /ksnoop config/],
  ['capture: {quiet: "x"}', /capture\.quiet must be true or false, not "x"/, /./],
  ['install: {pull-secret: x}', /must be a list of texts/, /./],
  ['just words', /expected a mapping of names to values/, /./],
  ['a: [', /cannot be read/, /./],
])('%s is refused with what is wrong', async (text, message, hint) => {
  await expect(read(text)).rejects.toMatchObject({
    code: 'BAD_CONFIG',
    exit: 2,
    message: expect.stringMatching(message),
    hint: expect.stringMatching(hint),
  });
});

test('a variable that is no switch is refused by its name', async () => {
  await expect(read('', { KSNOOP_SHOW_SECRETS: 'perhaps' })).rejects.toThrow(
    /KSNOOP_SHOW_SECRETS must be true or false/,
  );
});

test('every setting is a flag of a command, and has a variable of its own', () => {
  const ksnoop = program();
  for (const { command, flag, name } of SETTINGS) {
    const commands = ksnoop.commands.filter((child) => command === undefined || child.name() === command);
    expect(
      commands.some(({ options }) => options.some(({ long }) => long === `--${flag}`)),
      name,
    ).toBe(true);
  }
  expect(new Set(SETTINGS.map(variableOf)).size).toBe(SETTINGS.length);
});

test('the file is looked for where XDG says', () => {
  expect(settingsFiles({ XDG_CONFIG_HOME: '/x' })).toEqual(['/x/ksnoop/config.yaml', '/x/ksnoop/config.json']);
  expect(settingsFiles({ KSNOOP_CONFIG: '' })).toEqual([]);
});

/** Which flags a command line gets from the configuration. */
async function applied(text: string, line: string): Promise<Record<string, unknown>> {
  mkdirSync(join(directory, 'config'), { recursive: true });
  vi.stubEnv('KSNOOP_CONFIG', file(text));
  const options: Record<string, unknown> = {};
  const command = new Command('ksnoop');
  command
    .command('capture', { isDefault: true })
    .argument('[targets...]')
    .option('-n, --namespace <N>')
    .option('-A, --all-namespaces')
    .option('--context <N>')
    .option('--local')
    .option('-s, --snaplen <N>')
    .option('-q, --quiet')
    .option('-v, --verbose')
    .option('-o, --output <FORM>')
    .option('-w, --write <FILE>')
    .action((_targets, given: Record<string, unknown>) => void Object.assign(options, given))
    .hook('preAction', async (_, acting) => void (await applySettings(acting)));
  await command.parseAsync(line.split(' '), { from: 'user' });
  return options;
}

test.each([
  ['pod/a', { namespace: 'shop', context: 'prod', snaplen: '128', quiet: true }],
  ['pod/a -n x -s 1', { namespace: 'x', context: 'prod', snaplen: '1', quiet: true }],
  ['-A pod/a', { allNamespaces: true, context: 'prod', snaplen: '128', quiet: true }],
  ['--local host', { local: true, namespace: 'shop', snaplen: '128', quiet: true }],
  ['-v pod/a', { verbose: true, namespace: 'shop', context: 'prod', snaplen: '128' }],
])('ksnoop %s', async (line, options) => {
  const text = 'namespace: shop\ncontext: prod\ncapture: {snaplen: 128, quiet: true, output: text}\n';
  // No terminal: packets go where they always go.
  expect(await applied(text, line)).toEqual(options);
});
