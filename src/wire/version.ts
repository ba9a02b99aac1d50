import { KsnoopError } from './errors.ts';

/** ksnoop's own version, for the file header, --version and the hello event. Kept equal to package.json by a test. */
export const VERSION = '0.1.0';

/** Version of the protocol between client and agent. One minor apart is tolerated, more is not. */
export const PROTOCOL = { major: 1, minor: 1 } as const;

export const PROTOCOL_TEXT = `${PROTOCOL.major}.${PROTOCOL.minor}`;

/**
 * Hold the other side's protocol version against ours.
 * @param theirs the version in the other side's greeting, `major.minor`
 * @param other who it is, for the error: `agent` or `client`
 * @throws KsnoopError PROTOCOL_MISMATCH, whose hint names the command that upgrades
 */
export function checkProtocol(theirs: string, other: 'agent' | 'client'): void {
  const parts = /^(\d{1,4})\.(\d{1,4})$/.exec(theirs);
  if (parts && Number(parts[1]) === PROTOCOL.major && Math.abs(Number(parts[2]) - PROTOCOL.minor) <= 1) return;
  throw new KsnoopError(
    'PROTOCOL_MISMATCH',
    `The ${other} speaks protocol ${theirs}, this ksnoop ${VERSION} speaks ${PROTOCOL_TEXT}.`,
    {
      hint:
        other === 'agent'
          ? 'Bring the agents to this version: ksnoop install --image IMAGE'
          : 'Bring the ksnoop on your machine to the version of the agents: npm install -g ksnoop',
    },
  );
}

/** Whether a version that `checkProtocol` has passed has what came with one of our minor versions. */
export function speaksAtLeast(theirs: string, minor: number): boolean {
  return Number(theirs.split('.')[1]) >= minor;
}
