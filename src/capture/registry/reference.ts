import { EXIT, KsnoopError } from '../../wire/errors.ts';

/** Where an image is in a registry. */
export interface ImageReference {
  /** As the user wrote it, without a tag or digest: `registry.example/team/ksnoop-agent`. */
  readonly name: string;
  /** Host and port: `registry.example:5000`; `docker.io` unless named. */
  readonly registry: string;
  /** `team/ksnoop-agent` */
  readonly repository: string;
  readonly tag: string;
  /** The address of the registry's API. http only for this machine, as docker has it. */
  readonly origin: string;
}

/** distribution/reference: components of a repository's name, and tags. */
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const HOST = /^(?:[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*|\[[0-9a-f:]+\])(?::\d{1,5})?$/;
const LOOPBACK = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d+)?$/;

/**
 * Read an image's name as docker does: the first part is a registry where it has a dot or a port, or is `localhost`.
 * @throws KsnoopError BAD_IMAGE_NAME (exit 2)
 */
export function parseReference(text: string): ImageReference {
  if (text.includes('@')) throw bad(text, 'An image is pushed by a tag; its digest is printed.');
  const slash = text.indexOf('/');
  const first = slash < 0 ? '' : text.slice(0, slash);
  const isRegistry = first === 'localhost' || /[.:]/.test(first);
  const path = isRegistry ? text.slice(slash + 1) : text;
  const colon = path.indexOf(':');
  const local = colon < 0 ? path : path.slice(0, colon);
  const tag = colon < 0 ? 'latest' : path.slice(colon + 1);
  const registry = isRegistry ? first : 'docker.io';
  const repository = !isRegistry && !local.includes('/') ? `library/${local}` : local;
  if (!HOST.test(registry) || !TAG.test(tag) || !repository.split('/').every((part) => COMPONENT.test(part))) {
    throw bad(text, 'For example: registry.example/team/ksnoop-agent:1.0');
  }
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  return {
    name: isRegistry ? `${registry}/${local}` : local,
    registry,
    repository,
    tag,
    origin: `${LOOPBACK.test(registry) ? 'http' : 'https'}://${host}`,
  };
}

function bad(text: string, hint: string): KsnoopError {
  return new KsnoopError('BAD_IMAGE_NAME', `"${text}" is not the name of an image.`, { hint, exit: EXIT.usage });
}
