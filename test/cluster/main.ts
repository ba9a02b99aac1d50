// The test cluster's commands: `npm run cluster -- VERB`.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { KsnoopError, messageOf } from '../../src/wire/errors.ts';
import { ClusterError } from './cluster-error.ts';
import { restartApiServer } from './control-plane.ts';
import { down } from './down.ts';
import { loadImage } from './images.ts';
import { type Layout, layoutOf, SOURCES } from './layout.ts';
import { locked } from './lock.ts';
import { ensurePackages, requireRoot } from './packages.ts';
import { say } from './run.ts';
import { status } from './status.ts';
import { exists, kubectl, up } from './up.ts';

const USAGE = `npm run cluster -- VERB
  up                  bring the cluster up, or what is missing of it
  down                remove it and everything it made
  status              its parts, their pids, whether it works (exit code 1 when it does not)
  kubeconfig          the path of the admin's kubeconfig
  kubectl ARG ...     kubectl as admin (after \`--\` when ARG begins with a hyphen)
  load ARCHIVE ...    import OCI or docker image archives on both nodes
  restart apiserver   kill the API server and start it again with the same state
  shop up | down      the programs that talk to one another (test/cluster/workloads)
KSNOOP_CLUSTER=NAME is another cluster beside the first; KSNOOP_CACHE is where built binaries are kept.
`;

/** Every verb gives the exit code of the command. */
const VERBS: Readonly<Record<string, (layout: Layout, args: readonly string[]) => Promise<number>>> = {
  up: async (layout) => {
    await ensurePackages();
    await locked(layout, () => up(layout));
    return 0;
  },
  down: async (layout) => {
    await locked(layout, () => down(layout));
    return 0;
  },
  status: async (layout) => {
    const { works, lines } = await status(layout);
    process.stdout.write(`${lines.join('\n')}\n`);
    return works ? 0 : 1;
  },
  kubeconfig: async (layout) => {
    mustExist(layout);
    process.stdout.write(`${layout.kubeconfig}\n`);
    return 0;
  },
  kubectl: async (layout, args) => {
    mustExist(layout);
    const words = args[0] === '--' ? args.slice(1) : args;
    return passOn([...kubectl(layout), ...words]);
  },
  load: async (layout, archives) => {
    mustExist(layout);
    for (const archive of archives) {
      await loadImage(layout, resolve(archive));
      say(`${archive} is on ${layout.nodes.map((node) => node.name).join(' and ')}`);
    }
    return 0;
  },
  restart: async (layout, [what]) => {
    mustExist(layout);
    if (what !== 'apiserver') return usage();
    await locked(layout, () => restartApiServer(layout));
    say('the API server was killed and is ready again');
    return 0;
  },
  shop: async (_layout, args) => passOn([process.execPath, join(SOURCES, 'workloads', 'main.ts'), ...args]),
};

function mustExist(layout: Layout): void {
  if (exists(layout) && existsSync(layout.kubeconfig)) return;
  throw new ClusterError(`The cluster ${layout.name} is not up.`, {
    hint: 'Bring it up with `npm run cluster -- up`.',
  });
}

/** Becomes, as near as Node can, another program: same terminal, its exit code. */
function passOn([command = '', ...args]: readonly string[]): number {
  const { status: code, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return code ?? 1;
}

function usage(): number {
  process.stderr.write(USAGE);
  return 2;
}

try {
  const [verb = '', ...args] = process.argv.slice(2);
  const run = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (run !== undefined) requireRoot();
  process.exitCode = run === undefined ? usage() : await run(layoutOf(), args);
} catch (thrown) {
  process.stderr.write(`cluster: ${messageOf(thrown)}\n`);
  if ((thrown instanceof ClusterError || thrown instanceof KsnoopError) && thrown.hint !== undefined)
    process.stderr.write(`${thrown.hint}\n`);
  process.exitCode = 1;
}
