import { createServer, type Server } from 'node:net';
import { KsnoopError, systemCode } from '../../wire/errors.ts';

/**
 * Take one of the places for captures of exec'd processes of this agent, for as long as the process lives or until the place is closed. A place
 * is the name of an abstract Unix socket (unix(7)) in the agent's network namespace: the kernel gives it to one process
 * only, however many ask at once, and takes it back when that process ends in any way.
 * @param bound how many places there are
 * @param name the agent's name, for which the places are counted
 * @throws KsnoopError TOO_MANY_SESSIONS when all are taken
 */
export async function takeCaptureSlot(bound: number, name = 'ksnoop-capture'): Promise<Server> {
  for (let slot = 0; slot < bound; slot += 1) {
    const server = await listenAs(`\0${name}-${slot}`);
    if (server !== undefined) return server;
  }
  throw tooManyCaptures(bound);
}

export function tooManyCaptures(bound: number): KsnoopError {
  const message = `The agent already runs ${bound} captures, and no more are allowed on a node.`;
  return new KsnoopError('TOO_MANY_SESSIONS', message, {
    hint: 'End one of them, or capture several targets with one ksnoop.',
  });
}

/** @returns undefined when another process has the name */
function listenAs(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.once('error', (error) => {
      if (systemCode(error) === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(path, () => resolve(server.unref()));
  });
}
