import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadAll } from 'js-yaml';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { arrayAt, isObject, type JsonObject, objectAt, objectsAt, optionalString } from '../../wire/guard.ts';
import { isOneExecutable } from '../own-program.ts';
import { isManifestDirectory, manifestText } from './manifest-files.ts';

/** An object as a manifest has it, free to be changed before it is applied. */
export type Manifest = Record<string, unknown>;

/**
 * The directory `daemonset` of this package: beside `src` when run from the sources, beside `dist` when bundled, inside the one
 * executable.
 * @throws KsnoopError MANIFESTS_MISSING
 */
export function daemonsetDirectory(): string {
  if (isOneExecutable()) return 'daemonset';
  for (let directory = import.meta.dirname; ; directory = dirname(directory)) {
    const candidate = join(directory, 'daemonset');
    if (existsSync(join(candidate, 'base', 'kustomization.yaml'))) return candidate;
    if (directory === dirname(directory)) break;
  }
  throw new KsnoopError('MANIFESTS_MISSING', 'The manifests (daemonset/base) are missing from this ksnoop.', {
    hint: 'Install the npm package as it is published.',
  });
}

/**
 * Read a kustomization with the fields that ksnoop's own use: `resources` (files, or directories with a kustomization), `components`
 * (directories, whose patches change the objects so far) and `patches` that are partial objects (strategic merge: maps are
 * joined, lists of named things by name, other lists replaced).
 * @param directory where the kustomization.yaml is
 * @param more directories of components besides those that it names
 * @returns the objects in the order their files are named
 * @throws KsnoopError BAD_MANIFEST naming the file
 */
export function readKustomization(directory: string, more: readonly string[] = []): Manifest[] {
  return withKustomization([], directory, more);
}

/** Objects, and what a kustomization adds to them and changes of them. */
function withKustomization(present: readonly Manifest[], directory: string, more: readonly string[]): Manifest[] {
  const file = join(directory, 'kustomization.yaml');
  const [kustomization = {}] = readDocuments(file);
  const resources = arrayAt(kustomization, 'resources').flatMap((name) => {
    const path = join(directory, String(name));
    return isManifestDirectory(path) ? readKustomization(path) : readDocuments(path);
  });
  const components = [...arrayAt(kustomization, 'components').map((name) => join(directory, String(name))), ...more];
  let objects = [...present, ...resources];
  for (const component of components) objects = withKustomization(objects, component, []);
  for (const patch of objectsAt(kustomization, 'patches')) {
    const path = optionalString(patch, 'path');
    const patches =
      path === undefined ? parse(optionalString(patch, 'patch') ?? '', file) : readDocuments(join(directory, path));
    for (const change of patches) {
      const index = objects.findIndex((object) => isSame(object, change));
      if (index < 0) throw bad(file, `its patch of ${nameOf(change)} matches no object`);
      objects[index] = joined(objects[index] ?? {}, change);
    }
  }
  return objects;
}

/** `DaemonSet ksnoop/ksnoop-agent`, for messages. */
export function nameOf(object: JsonObject): string {
  const { namespace, name } = objectAt(object, 'metadata');
  return `${object.kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
}

function isSame(object: JsonObject, other: JsonObject): boolean {
  return object.kind === other.kind && objectAt(object, 'metadata').name === objectAt(other, 'metadata').name;
}

function readDocuments(file: string): Manifest[] {
  let text: string;
  try {
    text = manifestText(file);
  } catch (cause) {
    throw bad(file, messageOf(cause), cause);
  }
  return parse(text, file);
}

function parse(text: string, file: string): Manifest[] {
  let documents: unknown[];
  try {
    documents = loadAll(text);
  } catch (cause) {
    throw bad(file, messageOf(cause), cause);
  }
  return documents
    .filter((document) => document !== null && document !== undefined)
    .map((document) => {
      if (!isObject(document)) throw bad(file, 'a document in it is not an object');
      return { ...document };
    });
}

function joined(before: JsonObject, change: JsonObject): Manifest {
  const result: Manifest = { ...before };
  for (const [key, value] of Object.entries(change)) {
    const old = result[key];
    if (isObject(old) && isObject(value)) result[key] = joined(old, value);
    else if (Array.isArray(old) && Array.isArray(value) && value.every(isNamed)) result[key] = joinedByName(old, value);
    else result[key] = value;
  }
  return result;
}

function isNamed(value: unknown): value is JsonObject {
  return isObject(value) && typeof value.name === 'string';
}

function joinedByName(before: readonly unknown[], changes: readonly JsonObject[]): unknown[] {
  const result = [...before];
  for (const change of changes) {
    const index = result.findIndex((item) => isNamed(item) && item.name === change.name);
    const old = result[index];
    if (isObject(old)) result[index] = joined(old, change);
    else result.push(change);
  }
  return result;
}

function bad(file: string, why: string, cause?: unknown): KsnoopError {
  return new KsnoopError('BAD_MANIFEST', `The manifest ${file} cannot be used: ${why}.`, { cause });
}
