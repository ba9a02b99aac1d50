import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { type ClaimDestination, claimDestination } from '../../capture/install/claim-destination.ts';
import { isObject, type JsonObject, optionalString } from '../../wire/guard.ts';
import { DESTINATION_NAME } from '../../wire/recording.ts';
import type { Bucket } from './presign.ts';

/** A bucket to which recordings may go. */
export interface Destination {
  readonly name: string;
  readonly bucket: Bucket;
  /** Names of objects begin with it. */
  readonly prefix: string;
  /** PEM of the authority that issued the endpoint's certificate; undefined for the usual ones. */
  readonly ca: string | undefined;
}

/** Looks up a destination for a namespace: the destination, or why there is none, a sentence. */
export type FindDestination = (name: string, namespace: string) => Destination | ClaimDestination | string;

/** Bytes of a definition and of a key that are read. */
const DEFINITION_BYTES = 64 * 1024;
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;

/**
 * Reads destinations where the kubelet mounts them, anew each time: it replaces the files when the ConfigMap or the Secret changes.
 * @param definitions directory with a YAML file for each name (ConfigMap ksnoop-destinations)
 * @param keys directory with NAME.accessKeyId and NAME.secretAccessKey (Secret ksnoop-destinations)
 */
export function destinationsIn(definitions: string, keys: string): FindDestination {
  return (name, namespace) => {
    const text = DESTINATION_NAME.test(name) ? fileText(join(definitions, name)) : undefined;
    if (text === undefined) return `The administrator has defined no destination ${name}.`;
    try {
      const definition: unknown = load(text);
      if (!isObject(definition)) return bad(name, 'it is no mapping');
      const { namespaces } = definition;
      if (namespaces !== undefined && !(Array.isArray(namespaces) && namespaces.includes(namespace))) {
        return `The destination ${name} is not for namespace ${namespace}.`;
      }
      if (definition.type === 'pvc') {
        const claim = claimDestination(name, definition);
        return typeof claim === 'string' ? bad(name, claim) : claim;
      }
      return destinationOf(name, definition, keys);
    } catch {
      return bad(name, 'it is no YAML');
    }
  };
}

/** Whether a text has PEM certificates, and all of them can be read. */
function isCertificates(text: string): boolean {
  const found = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return found.length > 0 && found.every((pem) => new X509Certificate(pem).raw.length > 0);
  } catch {
    return false;
  }
}

function destinationOf(name: string, definition: JsonObject, keys: string): Destination | string {
  if (definition.type !== 's3') return bad(name, 'its type is neither s3 nor pvc');
  const endpoint = URL.parse(optionalString(definition, 'endpoint') ?? '');
  if (endpoint === null || !['https:', 'http:'].includes(endpoint.protocol)) return bad(name, 'its endpoint is no URL');
  if (endpoint.pathname !== '/' || endpoint.search !== '' || endpoint.username !== '') {
    return bad(name, 'its endpoint has more than a scheme, a host and a port');
  }
  const bucket = optionalString(definition, 'bucket') ?? '';
  if (!BUCKET.test(bucket)) return bad(name, 'its bucket is no name of a bucket');
  const prefix = optionalString(definition, 'prefix') ?? '';
  if (!/^([\w.-]+\/)*[\w.-]*$/.test(prefix) || prefix.split('/').includes('..')) {
    return bad(name, 'its prefix has other characters than letters, digits, -, _, . and /');
  }
  const ca = optionalString(definition, 'ca');
  if (ca !== undefined && !isCertificates(ca)) return bad(name, 'its ca has no certificates in PEM');
  const key = (which: string) => fileText(join(keys, `${name}.${which}`))?.trim();
  const accessKeyId = key('accessKeyId') ?? '';
  const secretAccessKey = key('secretAccessKey') ?? '';
  if (accessKeyId === '' || secretAccessKey === '') {
    return bad(name, `Secret ksnoop-destinations has no ${name}.accessKeyId and ${name}.secretAccessKey`);
  }
  return {
    name,
    prefix,
    ca,
    bucket: {
      endpoint,
      name: bucket,
      region: optionalString(definition, 'region') ?? 'us-east-1',
      forcePathStyle: definition.forcePathStyle === true,
      accessKeyId,
      secretAccessKey,
      sessionToken: key('sessionToken'),
    },
  };
}

/** Shown to tenants: nothing of the definition itself. */
function bad(name: string, why: string): string {
  return `The definition of the destination ${name} cannot be used: ${why}.`;
}

function fileText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').slice(0, DEFINITION_BYTES);
  } catch {
    return undefined;
  }
}
