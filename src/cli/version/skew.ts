/** How the version of the agents stands to the client's. */
export type Skew = 'same' | 'compatible' | 'agents too old' | 'agents too new' | 'unknown';

/** Versions of one major number whose minor numbers are one apart work together, as the protocol allows (wire/version.ts). */
export function skewOf(client: string, agents: string): Skew {
  if (client === agents) return 'same';
  const [ours, theirs] = [parts(client), parts(agents)];
  if (ours === undefined || theirs === undefined) return 'unknown';
  const apart = (theirs.major - ours.major) * 1_000_000 + theirs.minor - ours.minor;
  if (Math.abs(apart) <= 1) return 'compatible';
  return apart < 0 ? 'agents too old' : 'agents too new';
}

function parts(version: string): { readonly major: number; readonly minor: number } | undefined {
  const found = /^(\d{1,6})\.(\d{1,6})\./.exec(version);
  return found === null ? undefined : { major: Number(found[1]), minor: Number(found[2]) };
}
