import { VERSION } from '../wire/version.ts';
import { idle } from './listener/idle.ts';
import { Proc } from './netns/proc.ts';
import { ownStreams, runSession } from './session/run-session.ts';

const VERBS = 'capture, idle or --version';

const [verb, ...rest] = process.argv.slice(2);
if (rest.length > 0) fail(`ksnoop-agent takes one word: ${VERBS}.`);
switch (verb) {
  case 'capture':
    runSession(ownStreams());
    break;
  case 'idle':
    idle(new Proc());
    break;
  case 'session': {
    // Started by the idle process only. Imported only here: the idle process needs no websockets.
    if (process.send === undefined) fail('session is started by ksnoop-agent idle.');
    const { websocketStreams } = await import('./listener/websocket-streams.ts');
    runSession(websocketStreams());
    break;
  }
  case '--version':
    process.stdout.write(`${VERSION}\n`);
    break;
  default:
    fail(`ksnoop-agent takes one word: ${VERBS}.`);
}

function fail(message: string): never {
  process.stderr.write(`ksnoop-agent: ${message}\n`);
  process.exit(1);
}
