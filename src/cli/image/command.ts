import { dockerCredentials } from '../../capture/registry/credentials.ts';
import { pushImage } from '../../capture/registry/push.ts';
import { parseReference } from '../../capture/registry/reference.ts';
import { EXIT, type ExitCode, KsnoopError } from '../../wire/errors.ts';
import { logger } from '../logger.ts';
import { onStopSignals } from '../signals.ts';
import { runBuilder } from './builder.ts';

export interface RawBuildOptions {
  readonly arch?: string;
  readonly tag?: string;
  readonly output?: string;
  readonly newest?: boolean;
}

export interface RawPushOptions {
  readonly newest?: boolean;
  readonly quiet?: boolean;
}

/** `ksnoop image build`: the archive's path goes to stdout. */
export async function buildCommand({ arch, tag, output, newest }: RawBuildOptions): Promise<ExitCode> {
  const named = Object.entries({ '--arch': arch, '--tag': tag, '-o': output });
  const words = named.flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  process.stdout.write(`${await runBuilder([...words, ...(newest ? ['--newest'] : [])])}\n`);
  return EXIT.done;
}

/** `ksnoop image push`: the image's name with its digest goes to stdout. */
export async function pushCommand(text: string, given: readonly string[], raw: RawPushOptions): Promise<ExitCode> {
  const { info, warn } = logger({ quiet: raw.quiet === true, verbose: false });
  const reference = parseReference(text);
  const abort = new AbortController();
  const release = onStopSignals(() => {
    abort.abort(new KsnoopError('INTERRUPTED', 'Interrupted.'));
    // A second signal ends the process.
    release();
  });
  try {
    const credentials = await dockerCredentials(reference.registry);
    const archives = [...given];
    if (archives.length === 0) {
      const newest = raw.newest ? ['--newest'] : [];
      for (const arch of ['amd64', 'arm64']) archives.push(await runBuilder(['--arch', arch, ...newest]));
    }
    const pushed = await pushImage({ reference, archives, credentials, signal: abort.signal }, info);
    const pinned = `${reference.name}@${pushed.digest}`;
    warn(`pushed ${text} for ${pushed.platforms.join(' and ')}; next: ksnoop install --image ${pinned}`);
    process.stdout.write(`${pinned}\n`);
    return EXIT.done;
  } finally {
    release();
  }
}
