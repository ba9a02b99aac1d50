import { createHash, createHmac } from 'node:crypto';

/** A bucket, and the keys that open it. */
export interface Bucket {
  /** `https://s3.example.com`, without a path. */
  readonly endpoint: URL;
  readonly name: string;
  readonly region: string;
  /** The bucket's name is the first part of the path, not of the host's name. */
  readonly forcePathStyle: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

export interface PresignRequest {
  readonly method: 'GET' | 'PUT';
  /** Of the object. */
  readonly key: string;
  readonly expiresS: number;
  /** Headers that the request must have with exactly these values; names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** Where an object is, without a signature. */
export function objectUrl({ endpoint, name, forcePathStyle }: Bucket, key: string): URL {
  const url = new URL(endpoint);
  const path = key.split('/').map(encoded).join('/');
  if (forcePathStyle) url.pathname = `/${encoded(name)}/${path}`;
  else {
    url.hostname = `${name}.${url.hostname}`;
    url.pathname = `/${path}`;
  }
  return url;
}

/**
 * A URL with which its holder may do one thing with one object until it expires (AWS Signature Version 4, query parameters; the payload
 * is not signed). The whole of a library that signs would be used for these two requests only, in the process that holds the keys.
 */
export function presign(bucket: Bucket, { method, key, expiresS, headers = {}, now }: PresignRequest): URL {
  const { region, accessKeyId, secretAccessKey, sessionToken } = bucket;
  const url = objectUrl(bucket, key);
  const time = `${new Date(now).toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`;
  const day = time.slice(0, 8);
  const scope = `${day}/${region}/s3/aws4_request`;
  const signed: Record<string, string> = { ...headers, host: url.host };
  const names = Object.keys(signed).sort();
  const parameters: Record<string, string> = {
    'X-Amz-Algorithm': ALGORITHM,
    'X-Amz-Credential': `${accessKeyId}/${scope}`,
    'X-Amz-Date': time,
    'X-Amz-Expires': String(expiresS),
    ...(sessionToken !== undefined && { 'X-Amz-Security-Token': sessionToken }),
    'X-Amz-SignedHeaders': names.join(';'),
  };
  const query = Object.entries(parameters)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&');
  const canonical = [
    method,
    url.pathname,
    query,
    ...names.map((name) => `${name}:${(signed[name] ?? '').trim()}`),
    '',
    names.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n');
  const text = [ALGORITHM, time, scope, createHash('sha256').update(canonical).digest('hex')].join('\n');
  const keyOfDay = hmac(`AWS4${secretAccessKey}`, day);
  const signingKey = hmac(hmac(hmac(keyOfDay, region), 's3'), 'aws4_request');
  url.search = `${query}&X-Amz-Signature=${hmac(signingKey, text).toString('hex')}`;
  return url;
}

function hmac(key: string | Uint8Array, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

/** Percent-encoded but for the unreserved characters of RFC 3986, section 2.3. */
function encoded(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
