import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { AGENT_WORD, isOneExecutable } from '../own-program.ts';
import type { AgentTransport, OpenTransport, TransportEnd } from '../streams/transport.ts';

/**
 * The agent as a child process of ksnoop, with the protocol of exec over pipes (`--local`). The program is the
 * one beside this build, so client and agent are always of one version.
 */
export function localTransport(): OpenTransport {
  return async (handlers) => {
    const program = isOneExecutable() ? AGENT_WORD : agentProgram();
    const child = spawn(process.execPath, [program, 'capture'], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdout.on('data', (chunk: Buffer) => handlers.stdout(chunk));
    child.stderr.on('data', (chunk: Buffer) => handlers.stderr(chunk));
    // The agent may end before it has read everything; its exit gives the reason.
    child.stdin.on('error', () => {});
    const ended = new Promise<TransportEnd>((resolve) => {
      child.once('error', (cause) => resolve({ kind: 'failed', error: cannotStart(messageOf(cause)) }));
      child.once('close', (code, signal) => {
        if (code !== null) resolve({ kind: 'exited', code });
        else {
          const error = new KsnoopError('AGENT_KILLED', `The agent process was ended by ${signal ?? 'a signal'}.`);
          resolve({ kind: 'lost', error });
        }
      });
    });
    const transport: AgentTransport = {
      name: 'child process',
      write: (text) => void child.stdin.write(text),
      pause: () => void child.stdout.pause(),
      resume: () => void child.stdout.resume(),
      ended,
      terminate: () => void child.kill('SIGKILL'),
    };
    return transport;
  };
}

function agentProgram(): string {
  // From dist/chunks and dist/ of a build, and from src/capture/agents in development.
  const candidates = ['ksnoop-agent.mjs', '../ksnoop-agent.mjs', '../../agent/main.ts'];
  const found = candidates.map((path) => join(import.meta.dirname, path)).find((path) => existsSync(path));
  if (found === undefined) throw cannotStart(`none of ${candidates.join(', ')} is beside ${import.meta.dirname}`);
  return found;
}

function cannotStart(why: string): KsnoopError {
  return new KsnoopError('AGENT_NOT_STARTED', `The local agent could not be started: ${why}.`, {
    hint: 'Build it with: npm run build',
  });
}
