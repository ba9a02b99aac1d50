import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { KsnoopError, messageOf, systemCode } from '../../wire/errors.ts';
import { isObject, type JsonObject, objectAt, optionalString, parseJson } from '../../wire/guard.ts';
import { HELPER_BYTES, HELPER_MS } from './limits.ts';

/** What docker knows of its user at a registry. */
export type RegistryCredentials =
  | { readonly kind: 'password'; readonly user: string; readonly password: string }
  /** A token that is exchanged for others (OAuth 2 refresh token). */
  | { readonly kind: 'token'; readonly token: string };

/** What docker calls its own registry in its configuration. */
const DOCKER_HUB = 'https://index.docker.io/v1/';

/** A helper's name becomes part of a program's. */
const HELPER = /^[\w.-]+$/;

/**
 * The credentials that `docker login` left for a registry: from a credential helper, or from config.json in `DOCKER_CONFIG` or
 * ~/.docker; undefined where there are none.
 * @throws KsnoopError BAD_DOCKER_CONFIG when the file or a helper cannot be used
 */
export async function dockerCredentials(
  registry: string,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<RegistryCredentials | undefined> {
  const path = join(environment.DOCKER_CONFIG || join(homedir(), '.docker'), 'config.json');
  const config = readConfig(path);
  if (config === undefined) return undefined;
  const server = registry === 'docker.io' ? DOCKER_HUB : registry;
  const helper = optionalString(objectAt(config, 'credHelpers'), server) ?? optionalString(config, 'credsStore');
  if (helper) return fromHelper(helper, server);
  const auths = objectAt(config, 'auths');
  const entry = [server, `https://${server}`, `https://${server}/v1/`].map((key) => auths[key]).find(isObject);
  return entry === undefined ? undefined : fromEntry(entry, path);
}

function readConfig(path: string): JsonObject | undefined {
  try {
    const config = parseJson(readFileSync(path, 'utf8'), path);
    if (isObject(config)) return config;
  } catch (thrown) {
    if (systemCode(thrown) === 'ENOENT') return undefined;
    throw bad(`${path} cannot be read: ${messageOf(thrown)}`);
  }
  throw bad(`${path} is not a JSON object.`);
}

function fromEntry(entry: JsonObject, path: string): RegistryCredentials | undefined {
  const token = optionalString(entry, 'identitytoken');
  if (token) return { kind: 'token', token };
  const auth = optionalString(entry, 'auth');
  if (!auth) return undefined;
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) throw bad(`${path} has credentials that are not USER:PASSWORD in base64.`);
  return { kind: 'password', user: text.slice(0, colon), password: text.slice(colon + 1).replace(/\0+$/, '') };
}

/** docker-credential-helpers: the server's address on stdin, JSON on stdout. */
async function fromHelper(name: string, server: string): Promise<RegistryCredentials | undefined> {
  if (!HELPER.test(name)) throw bad('A credential helper is named with characters that no program has.');
  const program = `docker-credential-${name}`;
  const child = spawn(program, ['get'], { stdio: ['pipe', 'pipe', 'ignore'], timeout: HELPER_MS });
  let output = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    output += text;
    if (output.length > HELPER_BYTES) child.kill();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(`${server}\n`);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', (cause) => reject(bad(`${program} cannot be run: ${messageOf(cause)}`)));
    child.once('close', resolve);
  });
  if (code !== 0 && /credentials not found/i.test(output)) return undefined;
  if (code !== 0) throw bad(`${program} failed for ${server}${code === null ? '' : ` (exit ${code})`}.`);
  const found = parseJson(output, `the output of ${program}`);
  const user = isObject(found) ? optionalString(found, 'Username') : undefined;
  const secret = isObject(found) ? optionalString(found, 'Secret') : undefined;
  if (user === undefined || secret === undefined) throw bad(`${program} did not give a user and a secret.`);
  return user === '<token>' ? { kind: 'token', token: secret } : { kind: 'password', user, password: secret };
}

function bad(message: string): KsnoopError {
  return new KsnoopError('BAD_DOCKER_CONFIG', message, { hint: 'Log in again: docker login REGISTRY' });
}
