import { VERSION } from '../wire/version.ts';
import { idle } from './listener/idle.ts';
import { Proc } from './netns/proc.ts';
import { ownResources } from './session/resources.ts';
import { ownStreams, Session } from './session/run-session.ts';

const VERBS = 'capture, idle, once or --version';

const [verb, ...rest] = process.argv.slice(2);
if (rest.length > 0) fail(`ksnoop-agent takes one word: ${VERBS}.`);
switch (verb) {
  case 'capture':
    capture();
    break;
  case 'idle':
    idle(new Proc(), { endsUnused: false });
    break;
  case 'once':
    idle(new Proc(), { endsUnused: true });
    break;
  case '--version':
    process.stdout.write(`${VERSION}\n`);
    break;
  default:
    fail(`ksnoop-agent takes one word: ${VERBS}.`);
}

/** One session over the process's own streams. */
function capture(): void {
  const resources = ownResources();
  const session = new Session(ownStreams(), resources, resources.memory.open());
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => session.stop('signal'));
}

function fail(message: string): never {
  process.stderr.write(`ksnoop-agent: ${message}\n`);
  process.exit(1);
}
