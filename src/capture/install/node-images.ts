import { KsnoopError } from '../../wire/errors.ts';
import { objectAt, objectsAt } from '../../wire/guard.ts';
import { VERSION } from '../../wire/version.ts';
import type { ObjectApi } from '../kube/object-api.ts';

/** The agents' image among those that the nodes have. */
export interface NodeImages {
  /** The image of this version that every node has, imported by hand; undefined without one. */
  readonly own: string | undefined;
  /** Other images called so that some node has: any user of the cluster may have brought them. */
  readonly others: readonly string[];
}

/** Names that no registry serves: whoever imports them has access to the node. */
const IMPORTED = /^(?:docker\.io\/library|localhost)\/ksnoop-agent:/;
const AGENT = /(?:^|\/)ksnoop-agent[:@]/;

/** How many of the others are named. */
const NAMED = 3;

/**
 * Look for the agents' image on the nodes (their status.images: the 50 largest of each). Only an image that was imported by hand and
 * has this version's tag is taken for ksnoop's: the agents are privileged, and a user who may run pods can bring any image to the nodes.
 */
export async function nodeImages(api: ObjectApi): Promise<NodeImages> {
  const nodes = await api.list({ apiVersion: 'v1', kind: 'Node' }, undefined).catch((thrown: unknown) => {
    if (thrown instanceof KsnoopError) return [];
    throw thrown;
  });
  const found = nodes.map(
    (node) =>
      new Set(
        objectsAt(objectAt(node, 'status'), 'images').flatMap(({ names }) =>
          Array.isArray(names)
            ? names.filter((name): name is string => typeof name === 'string' && AGENT.test(name))
            : [],
        ),
      ),
  );
  const all = [...new Set(found.flatMap((names) => [...names]))].sort();
  const own = all.find(
    (name) => IMPORTED.test(name) && name.endsWith(`:${VERSION}`) && found.every((names) => names.has(name)),
  );
  return { own, others: all.filter((name) => name !== own && !name.includes('@')).slice(0, NAMED) };
}
