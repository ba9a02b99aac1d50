import { join } from 'node:path';
import { type AgentImage, buildAgentImage } from '../../daemonset/image/build.ts';
import { cacheDirectory } from '../../daemonset/image/cache-directory.ts';
import { locked } from '../cluster/lock.ts';

/** The image of this build's agent, built unless the cache has it. Files of tests that run at the same time want the same one. */
export function builtAgentImage(say: (line: string) => void): Promise<AgentImage> {
  return whileNoImageIsBuilt(() => buildAgentImage({ newest: true }, say));
}

/** Runs `work` while no other test fetches the packages of an agent's image, or builds one. */
export function whileNoImageIsBuilt<T>(work: () => Promise<T>): Promise<T> {
  return locked({ lock: join(cacheDirectory(), 'images', 'ksnoop-agent.lock') }, work);
}
