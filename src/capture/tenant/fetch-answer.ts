import { isObject, type JsonObject, objectAt, objectsAt, optionalString, requireString } from '../../wire/guard.ts';
import { NAME, requireMatch, UID } from '../../wire/ticket-members.ts';

/** `status.fetch` of a Capture: the controller's answer to one key. */
export interface FetchAnswer {
  readonly key: string;
  /** Why nothing is given; undefined where something is. */
  readonly message: string | undefined;
  readonly nodes: readonly FetchNode[];
  readonly urls: readonly { readonly name: string; readonly sealed: string }[];
}

/** An agent that has files, and a ticket for it, sealed. */
export interface FetchNode {
  readonly node: string;
  readonly agent: { readonly namespace: string; readonly name: string; readonly uid: string };
  readonly sealed: string;
}

const SEALED_MAXIMUM = 16 * 1024;
const WHERE = "Capture's status.fetch";

/** @throws KsnoopError INVALID_MESSAGE */
export function fetchAnswer(status: JsonObject): FetchAnswer | undefined {
  if (!isObject(status.fetch)) return undefined;
  const answer = objectAt(status, 'fetch');
  return {
    key: requireString(answer, 'key', WHERE, 64),
    message: optionalString(answer, 'message'),
    nodes: objectsAt(answer, 'nodes').map((item) => {
      const agent = objectAt(item, 'agent');
      return {
        node: requireMatch(item, 'node', WHERE, NAME),
        agent: {
          namespace: requireMatch(agent, 'namespace', WHERE, NAME),
          name: requireMatch(agent, 'name', WHERE, NAME),
          uid: requireMatch(agent, 'uid', WHERE, UID),
        },
        sealed: requireString(item, 'sealed', WHERE, SEALED_MAXIMUM),
      };
    }),
    urls: objectsAt(answer, 'urls').map((item) => ({
      name: requireString(item, 'name', WHERE, 320),
      sealed: requireString(item, 'sealed', WHERE, SEALED_MAXIMUM),
    })),
  };
}
