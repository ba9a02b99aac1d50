import { Command, Option } from 'commander';
import { expect, test } from 'vitest';
import { complete } from '../../../src/cli/completion/answer.ts';
import { addCompletionCommands } from '../../../src/cli/completion/commands.ts';
import type { LiveNames } from '../../../src/cli/completion/live-names.ts';
import { program } from '../../../src/cli/program.ts';
import { COMPRESSIONS } from '../../../src/wire/session-frame.ts';

/** A small ksnoop: what matters is how flags, commands and targets follow one another. */
function root(): Command {
  const ksnoop = new Command('ksnoop').helpCommand(false).enablePositionalOptions();
  ksnoop
    .command('capture', { isDefault: true })
    .argument('[targets...]')
    .option('-n, --namespace <NAMESPACE>')
    .option('-c, --container <NAME>')
    .option('-i, --interface <NAME>')
    .option('-w, --write <FILE>')
    .option('-o, --output <FORM>')
    .option('-q, --quiet')
    .option('--local')
    .addOption(new Option('--transport <NAME>').choices(['auto', 'exec', 'port-forward']))
    .addOption(new Option('--compress <WHEN>').choices(COMPRESSIONS))
    .option('--context <NAME>');
  ksnoop.command('read').argument('[files...]').option('-o, --output <FORM>').option('--where <EXPR>');
  ksnoop.command('merge').argument('<files...>').option('-o, --output <FORMAT>');
  ksnoop.command('top').argument('[targets...]').option('-n, --namespace <NAMESPACE>').option('--view <NAME>');
  addCompletionCommands(ksnoop, () => {});
  return ksnoop;
}

const asked: string[] = [];
const live: LiveNames = {
  contexts: () => ['prod', 'arn:aws:eks'],
  objects: async ({ namespace, context }, { plural }) => {
    asked.push(`${context ?? ''} ${namespace ?? ''} ${plural}`);
    return plural === 'namespaces' ? ['shop', 'stage'] : ['web', 'web-2', 'api'];
  },
  containers: async (_place, pods) => pods.map((pod) => `nginx-of-${pod}`),
  interfaces: async () => ['net1'],
};

test.each([
  ['', ['capture', 'read', 'merge', 'top', 'completion']],
  ['top --view serv', ['services']],
  ['top pod/a', ['pod/api']],
  ['top -n sh', ['shop']],
  ['co', ['completion']],
  ['svc/', ['svc/web', 'svc/web-2', 'svc/api']],
  ['svc/w', ['svc/web', 'svc/web-2']],
  ['pod w', ['web', 'web-2']],
  ['pod/a svc/a', ['svc/api']],
  ['deploy/web,svc/a', ['deploy/web,svc/api']],
  ['SVC/a', ['SVC/api']],
  ['nothing/a', []],
  ['--con', ['--container', '--context']],
  ['--container x --con', ['--context']],
  ['--context ', ['prod', 'arn:aws:eks']],
  ['--context=p', ['--context=prod']],
  ['-n s', ['shop', 'stage']],
  ['-ns', ['-nshop', '-nstage']],
  ['-qn s', ['shop', 'stage']],
  ['-n shop,st', ['shop,stage']],
  ['-c ', []],
  ['pod/x -c ', ['nginx-of-x']],
  ['pod/x -i n', ['net1']],
  ['-o p', ['pcapng', 'pcap', 'parquet', 'packets']],
  ['read -o te', ['text', 'template']],
  ['--transport p', ['port-forward']],
  ['--compress ', ['auto', 'on', 'off']],
  ['--compress of', ['off']],
  ['merge -o su', ['summary', 'summary-state']],
  ['completion ', ['bash', 'zsh', 'fish']],
  ['--local n', ['netns/']],
  ['-- svc/w', ['svc/web', 'svc/web-2']],
])('ksnoop %s', async (line, values) => {
  const { candidates } = await complete(root(), line.split(' '), live);
  const names = candidates.map(({ value }) => value);
  expect(line === '' ? names.slice(0, values.length) : names).toEqual(values);
});

test.each([
  [['read', '--where', 'http.stat'], ['http.status']],
  [['read', '--where', 'htt'], ['http.']],
  [['read', '--where=lat'], ['--where=latency']],
  [['read', '--where', 'failed && dst.s'], ['failed && dst.service']],
  [['read', '--where', 'protocol == "ht'], []],
  [['read', '--where', 'http.status >= 5'], []],
])('the fields of an expression are completed: %j', async (words, values) => {
  const { candidates, files } = await complete(root(), words, live);
  expect(candidates.map(({ value }) => value)).toEqual(values);
  expect(files).toBe(false);
});

test.each([
  ['read ', true],
  ['read a.pcap ', true],
  ['-w ', true],
  ['svc/', false],
  ['--duration ', false],
])('whether files serve after ksnoop %s: %s', async (line, files) => {
  expect((await complete(root(), line.split(' '), live)).files).toBe(files);
});

test('a kind waits for its name, a name is finished', async () => {
  expect((await complete(root(), ['depl'], live)).unfinished).toBe(true);
  expect((await complete(root(), ['svc/w'], live)).unfinished).toBe(false);
});

test('the cluster is asked as the line before the cursor says', async () => {
  asked.length = 0;
  await complete(root(), ['--context', 'prod', '-n', 'shop', 'deploy/w'], live);
  expect(asked).toEqual(['prod shop deployments']);
});

test('a word of top may be a file as well', async () => {
  expect(await complete(root(), ['top', 'inci'], live)).toMatchObject({ files: true, candidates: [] });
  expect(await complete(root(), ['top', 'pod/web', ''], live)).toMatchObject({ files: false });
});

test.each([
  ['--compress ', ['auto', 'on', 'off']],
  ['--transport ', ['auto', 'exec', 'port-forward']],
])("ksnoop's own flags offer what they take: %s", async (line, values) => {
  const { candidates } = await complete(program(), line.split(' '), live);
  expect(candidates.map(({ value }) => value)).toEqual(values);
});
