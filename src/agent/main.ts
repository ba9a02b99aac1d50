import { KsnoopError, messageOf } from '../wire/errors.ts';
import { PROTOCOL_TEXT, VERSION } from '../wire/version.ts';
import { CaptureSession } from './capture.ts';
import { listen } from './control.ts';
import { Events } from './events.ts';
import { idle } from './idle.ts';
import { NODE_NAME } from './namespace.ts';
import { outlet } from './outlet.ts';
import { Proc } from './proc.ts';
import { Spool } from './spool.ts';

const VERBS = 'capture, idle or --version';

const [verb, ...rest] = process.argv.slice(2);
if (rest.length > 0) fail(`ksnoop-agent takes one word: ${VERBS}.`);
switch (verb) {
  case 'capture':
    await capture();
    break;
  case 'idle':
    idle(new Proc());
    break;
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

async function capture(): Promise<void> {
  const events = new Events(outlet(2));
  const spool = new Spool(outlet(1));
  let session: CaptureSession | undefined;
  const end = async (code: number) => {
    await Promise.race([events.flushed(), new Promise((resolve) => setTimeout(resolve, 1_000))]);
    process.exit(code);
  };
  const refuse = (thrown: unknown) => {
    const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('CAPTURE_FAILED', messageOf(thrown));
    const { code, message, hint } = error;
    session?.abandon();
    events.send({ type: 'failed', code, message, ...(hint && { hint }) });
    void end(1);
  };
  /** The client is gone: nobody reads the rest, so nothing waits for it. */
  const abandon = () => {
    session?.abandon();
    process.exit(1);
  };
  events.send({ type: 'hello', protocol: PROTOCOL_TEXT, version: VERSION, node: NODE_NAME });
  listen(process.stdin, {
    request: (request) => {
      session = new CaptureSession(request, spool, events);
      session.run().then(() => end(0), refuse);
    },
    stop: () => session?.stop('stopped'),
    acknowledge: () => session?.acknowledge(),
    add: (target) => session?.add(target),
    remove: (key) => session?.remove(key),
    closed: abandon,
    leaseLost: () => {
      if (session === undefined || spool.waiting > 0) abandon();
      else session.stop('lease');
    },
    invalid: refuse,
  });
  process.on('SIGTERM', () => (session === undefined ? process.exit(0) : session.stop('signal')));
  process.on('SIGINT', () => (session === undefined ? process.exit(0) : session.stop('signal')));
  process.on('SIGHUP', () => (session === undefined ? process.exit(0) : session.stop('signal')));
}
