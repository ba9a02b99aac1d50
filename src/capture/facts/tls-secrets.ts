import { X509Certificate } from 'node:crypto';
import { KsnoopError } from '../../wire/errors.ts';
import { objectAt, optionalString } from '../../wire/guard.ts';
import { find } from '../kube/api.ts';
import type { Kube } from '../kube/kube.ts';
import { resourcePath } from '../kube/resource.ts';

/** Secrets that are read, at most. */
const SECRETS_MAXIMUM = 8;

/** Base64 characters of a certificate chain that are decoded: a Secret has at most 1 MiB. */
const CHAIN_MAXIMUM = 262_144;

/** The Secret of a certificate. */
export interface TlsSecretName {
  readonly namespace: string;
  readonly name: string;
}

/** What became of reading it. */
export interface TlsSecret extends TlsSecretName {
  /** How long its certificate is valid, ms since 1970; `absent`: there is no such Secret, `unusable`: it has no certificate; or why it could not be read. */
  readonly certificate: CertificateTimes | 'absent' | 'unusable' | KsnoopError;
}

export interface CertificateTimes {
  readonly from: number;
  readonly until: number;
}

/**
 * How long the certificates in TLS Secrets are valid. Only tls.crt is looked at; the private key, which the API server sends
 * with it, is not kept.
 * @throws what is no KsnoopError, and the signal's reason
 */
export async function readTlsSecrets(
  kube: Kube,
  names: readonly TlsSecretName[],
  signal: AbortSignal,
): Promise<readonly TlsSecret[]> {
  return Promise.all(
    names.slice(0, SECRETS_MAXIMUM).map(async (name) => ({ ...name, certificate: await read(kube, name, signal) })),
  );
}

async function read(
  kube: Kube,
  { namespace, name }: TlsSecretName,
  signal: AbortSignal,
): Promise<TlsSecret['certificate']> {
  try {
    const secret = await find(kube, resourcePath('v1', namespace, 'secrets', name), signal);
    if (secret === undefined) return 'absent';
    return certificateTimes(optionalString(objectAt(secret, 'data'), 'tls.crt') ?? '');
  } catch (thrown) {
    signal.throwIfAborted();
    if (thrown instanceof KsnoopError) return thrown;
    throw thrown;
  }
}

/** @param chain PEM in base64, the server's own certificate first */
function certificateTimes(chain: string): CertificateTimes | 'unusable' {
  if (chain.length > CHAIN_MAXIMUM) return 'unusable';
  try {
    const { validFromDate, validToDate } = new X509Certificate(Buffer.from(chain, 'base64'));
    const times = { from: validFromDate.getTime(), until: validToDate.getTime() };
    return Number.isNaN(times.from) || Number.isNaN(times.until) ? 'unusable' : times;
  } catch {
    return 'unusable';
  }
}
