import { shellWord } from '../../view/http/curl.ts';
import { sanitise } from '../../view/sanitise.ts';
import { VERSION } from '../../wire/version.ts';

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

/** What to do where they do not work together. @param version of the agents, from the cluster */
export function skewAdvice(skew: Skew, version: string): string | undefined {
  if (skew === 'agents too old') return `Bring the agents to this version: ksnoop install --image IMAGE-OF-${VERSION}`;
  if (skew !== 'agents too new') return undefined;
  return sanitise(`Install the agents' version of this program: npm install -g ${shellWord(`ksnoop@${version}`)}`);
}
