import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { importViolations } from '../../scripts/import-directions.ts';

const made: string[] = [];
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true });
});

function sources(files: Record<string, string>): string {
  const directory = mkdtempSync(join(tmpdir(), 'ksnoop-rooms-'));
  made.push(directory);
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(directory, dirname(name)), { recursive: true });
    writeFileSync(join(directory, name), text);
  }
  return directory;
}

test('rooms import one way', () => {
  expect(importViolations()).toEqual([]);
});

test.each([
  ['agent/a.ts', "import { x } from '../capture/b.ts';"],
  ['capture/streams/a.ts', "import type { X } from '../../analyze/b.ts';"],
  ['analyze/flow/a.ts', "export * from '../../view/b.ts';"],
  ['view/a.ts', "import { x } from '../analyze/b.ts';"],
  ['wire/a.ts', "import { readFileSync } from 'node:fs';"],
  ['wire/a.ts', "import ws from 'ws';"],
  ['capture/streams/a.ts', "const { x } = await import('../../cli/b.ts');"],
  ['agent/a.ts', "import {\n  x,\n} from '../analyze/b.ts';"],
  ['wire/a.ts', "import '../agent/b.ts';"],
  ['view/a.ts', "import { type X, y } from '../analyze/b.ts';"],
  ['capture/kube/a.ts', "import { x } from '../../agent/b.ts';"],
  ['capture/kube/a.ts', "import { AGENT_NAMESPACE } from '../agents/agents.ts';"],
  ['capture/kube/a.ts', "import type { TargetQuery } from '../targets/target-find.ts';"],
  ['capture/kube/a.ts', "import { MERGE_WINDOW_MS } from '../limits.ts';"],
  ['capture/streams/a.ts', "import type { Kube } from '../kube/kube.ts';"],
  ['capture/streams/a.ts', "import type { PodSelection } from '../kinds/pod-selection.ts';"],
  ['capture/streams/a.ts', "import { podNames } from '../names/names.ts';"],
  ['capture/streams/a.ts', "import { openExec } from '../agents/open-agent.ts';"],
  ['capture/kinds/a.ts', "import { Owners } from '../targets/owners.ts';"],
  ['capture/targets/a.ts', "import { planCluster } from '../plan/cluster-plan.ts';"],
  ['capture/names/a.ts', "import { podLabel } from '../targets/b.ts';"],
  ['capture/agents/a.ts', "import { status } from '../install/status.ts';"],
  ['analyze/layers/a.ts', "import { Analysis } from '../engine/analysis.ts';"],
  ['analyze/layers/a.ts', "import { PacketView } from '../packet/packet.ts';"],
  ['analyze/protocols/http1/a.ts', "import { Clock } from '../../engine/clock.ts';"],
  ['analyze/record/a.ts', "import { Summary } from '../summary/summary.ts';"],
  ['analyze/record/a.ts', "import { PROTOCOLS } from '../protocols/index.ts';"],
  ['analyze/flow/a.ts', "import type { X } from '../tcp/connections.ts';"],
  ['agent/netns/a.ts', "import { CaptureSet } from '../tcpdump/capture-set.ts';"],
  ['agent/session/a.ts', "import { startListener } from '../listener/session-listener.ts';"],
  ['run/a.ts', "import { usage } from '../cli/usage.ts';"],
  ['run/sink/a.ts', "import { openOutput } from '../outputs/open.ts';"],
  ['run/capture/a.ts', "import { readCapture } from '../reading/read-capture.ts';"],
  ['cli/usage.ts', "import { program } from './program.ts';"],
  ['cli/help/a.ts', "import { topCommand } from '../top/commands.ts';"],
  ['cli/capture/a.ts', "import { doctor } from '../doctor/command.ts';"],
  ['analyze/engine/a.ts', "import { findings } from '../findings/index.ts';"],
  ['run/a.ts', "import { Command } from 'commander';"],
  ['run/sink/a.ts', 'process.stdout.write(text);'],
  ['capture/kube/a.ts', 'const asks = process.stdin.isTTY === true;'],
  ['analyze/engine/a.ts', "process.on('SIGINT', stop);"],
  ['agent/netns/a.ts', 'process.exit(1);'],
  ['unheard-of/a.ts', ''],
])('%s must not hold %s', (name, text) => {
  expect(importViolations(sources({ [name]: text }))).toHaveLength(1);
});

test('what is allowed is no violation', () => {
  const allowed = {
    'cli/a.ts':
      "import { x } from '../capture/streams/b.ts';\nimport { y } from '../view/c.ts';\nprocess.exitCode = 1;",
    'run/capture/a.ts': "import { x } from '../../capture/plan/b.ts';\nimport { y } from '../outputs/c.ts';",
    'cli/main.ts': "import { program } from './program.ts';",
    'view/c.ts': "import type { X } from '../analyze/record/d.ts';\nimport { z } from '../wire/e.ts';",
    'agent/main.ts': "import { spawn } from 'node:child_process';\nprocess.exit(1);",
    'agent/netns/f.ts': "import { z } from '../../wire/e.ts';\nimport { LIMIT } from '../limits.ts';",
    'analyze/layers/g.ts':
      "import type { PacketView } from '../packet/packet.ts';\n// process.exit(1) is said here only",
    'capture/plan/h.ts': "import { x } from '../targets/b.ts';\nimport { y } from '../streams/c.ts';",
  };
  expect(importViolations(sources(allowed))).toEqual([]);
});
