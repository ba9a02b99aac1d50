import {
  invalid,
  isObject,
  type JsonObject,
  objectAt,
  objectsAt,
  optionalString,
  requireString,
} from '../../wire/guard.ts';
import { PIECE_NAME } from '../../wire/recording.ts';
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

/** A file in a bucket, as `status.files` has it. */
export interface BucketFile {
  readonly name: string;
  readonly node: string;
  readonly sha256: string;
  readonly bytes: number;
  /** RFC 3339. */
  readonly first: string | undefined;
  readonly isThere: boolean;
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

/** `status.files` of a recording that goes to a bucket. @throws KsnoopError INVALID_MESSAGE */
export function bucketFiles(status: JsonObject): BucketFile[] {
  return objectsAt(status, 'files').map((file) => {
    const where = "Capture's status.files";
    const name = requireString(file, 'name', where, 320);
    const [directory = '', piece = '', ...more] = name.split('/');
    if (!NAME.test(directory) || !PIECE_NAME.test(piece) || more.length > 0) {
      throw invalid(where, 'has a file whose name is none of a recording');
    }
    return {
      name,
      node: requireMatch(file, 'node', where, NAME),
      sha256: requireMatch(file, 'sha256', where, /^[0-9a-f]{64}$/),
      bytes: typeof file.bytes === 'number' ? file.bytes : 0,
      first: optionalString(file, 'first'),
      isThere: optionalString(file, 'url') !== undefined,
    };
  });
}
