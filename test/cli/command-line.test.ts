// The built ksnoop as a user meets it who mistypes: one sentence on stderr, nothing on stdout, exit code 2.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test, vi } from 'vitest';
import { json, startApiServer } from '../support/api-server.ts';
import { KsnoopProcess } from '../support/ksnoop-process.ts';

const directory = mkdtempSync(join(tmpdir(), 'ksnoop-words-'));
afterAll(() => rmSync(directory, { recursive: true }));
/** No cluster is reached, whatever the machine has. */
const NO_KUBECONFIG = join(directory, 'none');

/** A module with which a process of Node prints that it handles SIGINT. */
const TELLS_HANDLER =
  "data:text/javascript,process.on('newListener',(name)=>{if(name==='SIGINT')setImmediate(()=>process.stderr.write('handles%20SIGINT'))})";

const ksnoop = (line: string, kubeconfig = NO_KUBECONFIG) =>
  new KsnoopProcess(line === '' ? [] : line.split(' '), kubeconfig).finished();

test.concurrent.each([
  ['', /no target to capture.*ksnoop pod\/web-1 -n shop.*ksnoop --help/],
  ['pod', /"pod" names no pod\. Write pod\/NAME, or/],
  ['pod/', /"pod\/" names no pod/],
  ['web-1', /Unknown command or target "web-1"\. Write a pod as pod\/web-1\./],
  ['svc', /"svc" names no service/],
  ['pod/a -A -n shop', /-A and -n exclude each other/],
  ['pod/a --max-targets many', /--max-targets takes a whole number/],
  ['--local pod/a -l app=web', /--local uses no cluster, so -l has no meaning/],
  ['netns/a', /"netns\/a" is a target of this machine, not of a cluster\. .*--local/],
  ['--local svc/web', /Unknown local target "svc\/web"\. .*netns\/NAME/],
  ['instal', /command or target "instal"\. Did you mean ksnoop install\?/],
  ['statsu', /command or target "statsu"\. Did you mean ksnoop status\?/],
  ['pod/a --durtion 3s', /unknown option '--durtion'\s+\(Did you mean --duration\?\)/],
  ['pod/a -w', /'-w, --write <FILE>' argument missing/],
  ['pod/a --duration soon', /--duration takes a time such as 30s, 5m or 1h30m, up to 24h, not "soon"/],
  ['pod/a --count none', /--count takes a whole number above 0, not "none"/],
  ['pod/a --max-bytes 10X', /--max-bytes takes a size such as 500000, 10M or 64Mi, not "10X"/],
  ['pod/a -s -1', /-s takes 0 to 262144 bytes, not "-1"/],
  ['pod/a -o xml', /no output "xml"\. There are: pcapng, pcap, text/],
  ['pod/a --wireshark -w a.pcapng', /--wireshark and -w exclude each other/],
  ['pod/a --local --context b', /--context and --kubeconfig have no meaning/],
  ['pod/a', /no kubeconfig: looked for .*none\. Name the cluster/],
  ['install --timeout soon', /--timeout takes a time/],
  ['status -o xml', /status has no output "xml"\. Its outputs are: text, json/],
  ['status web', /too many arguments for 'status'/],
])('ksnoop %s', async (line, sentence) => {
  const { code, stdout, stderr } = await ksnoop(line);
  expect(stderr).toMatch(sentence);
  expect(stderr.trimEnd().split('\n').length, stderr).toBeLessThanOrEqual(stderr.includes('Did you mean --') ? 2 : 1);
  expect(stdout).toHaveLength(0);
  expect(code).toBe(2);
});

test('an empty file name is no file', async () => {
  const { code, stderr } = await new KsnoopProcess(['pod/a', '-w', ''], NO_KUBECONFIG).finished();
  expect(stderr).toContain('-w takes the name of a file');
  expect(code).toBe(2);
});

test.each(['--help', 'help', 'help capture', 'capture --help', '--version'])('ksnoop %s', async (line) => {
  const { code, stdout, stderr } = await ksnoop(line);
  expect(stdout.toString('utf8')).toMatch(line === '--version' ? /^\d+\.\d+\.\d+\n$/ : /^Usage: ksnoop/);
  expect(stderr).toBe('');
  expect(code).toBe(0);
});

test('Ctrl-C while the cluster is still being asked ends at once, and says that nothing was captured', async () => {
  const server = await startApiServer({ onRequest: () => {} });
  try {
    const file = join(directory, 'a.pcapng');
    const asking = new KsnoopProcess(['pod/a', '-w', file], server.kubeconfig());
    while (server.seen.length === 0) await sleep(20);
    const { code, stdout, stderr } = await asking.stop();
    expect(stderr).toMatch(/^ksnoop: Interrupted before anything was captured\. \[INTERRUPTED\]\n$/);
    expect(stdout).toHaveLength(0);
    expect(code).toBe(1);
  } finally {
    await server.close();
  }
});

/** A pod of node-1, running and ready. */
const pod = (name: string, container: string) => ({
  metadata: { name, namespace: 'shop', uid: name },
  spec: { nodeName: 'node-1', containers: [{ name: container, image: 'x' }] },
  status: {
    phase: 'Running',
    podIPs: [{ ip: '10.244.1.5' }],
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: container, ready: true, containerID: 'containerd://a', state: { running: {} } }],
  },
});

test('Ctrl-C twice while an agent is silent ends at once, says that nothing was captured, and leaves no file', async () => {
  const server = await startApiServer({
    onRequest: (request, response) => {
      if (request.url?.includes('/pods/web')) json(response, 200, pod('web', 'main'));
      else json(response, 200, { items: request.url?.includes('/ksnoop/pods') ? [pod('agent', 'agent')] : [] });
    },
    onExec: () => {},
  });
  try {
    const file = join(directory, 'silent.pcapng');
    const asking = new KsnoopProcess(['pod/web', '-n', 'shop', '-w', file], server.kubeconfig());
    while (!server.seen.some((seen) => seen.startsWith('UPGRADE'))) await sleep(20);
    await sleep(200);
    asking.child.kill('SIGINT');
    await asking.says(/press Ctrl-C again to quit now/);
    const { code, stderr } = await asking.stop();
    expect(stderr).toMatch(/nothing was captured: the capture ended before an agent began\n$/);
    expect(code).toBe(1);
    expect(existsSync(file)).toBe(false);
  } finally {
    await server.close();
  }
});

// An executable takes no NODE_OPTIONS.
test.skipIf(process.env.KSNOOP_EXECUTABLE !== undefined)('Ctrl-C is heard while a FIFO has no reader', async () => {
  const fifo = join(directory, 'fifo');
  execFileSync('mkfifo', [fifo]);
  vi.stubEnv('NODE_OPTIONS', `--import=${TELLS_HANDLER}`);
  const waiting = new KsnoopProcess(['--local', 'host', '-w', fifo]);
  vi.unstubAllEnvs();
  // Before its handler is set a signal ends Node; ksnoop itself prints nothing before it waits, which it does a moment later.
  await waiting.says(/handles SIGINT/);
  await sleep(500);
  const { code, stderr } = await waiting.stop();
  expect(stderr).toContain('Interrupted before anything was captured.');
  expect(code).toBe(1);
});

test("a server's words cannot move the terminal", async () => {
  const server = await startApiServer({
    onRequest: (_request, response) =>
      response.writeHead(403, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          kind: 'Status',
          status: 'Failure',
          reason: 'Forbidden',
          code: 403,
          message: 'no\u001b[2Jno\u009b',
        }),
      ),
  });
  try {
    const { code, stderr } = await ksnoop('pod/a', server.kubeconfig());
    expect(stderr).toContain('\\x1b[2J');
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(code).toBe(1);
  } finally {
    await server.close();
  }
});

test('a value that is refused says where it was set, when the line did not say it', async () => {
  const config = join(directory, 'config.yaml');
  writeFileSync(config, 'capture: {snaplen: 1x}\n');
  vi.stubEnv('KSNOOP_CONFIG', config);
  const { code, stderr } = await ksnoop('pod/a');
  const shown = await ksnoop('config');
  vi.unstubAllEnvs();
  expect(code).toBe(2);
  expect(stderr).toContain('-s takes 0 to 262144 bytes, not "1x"');
  expect(stderr).toContain(`ksnoop: ${config} sets capture.snaplen: 1x`);
  expect(shown.stdout.toString()).toMatch(/^capture\.snaplen +1x +\S+config\.yaml +KSNOOP_CAPTURE_SNAPLEN$/m);
});
