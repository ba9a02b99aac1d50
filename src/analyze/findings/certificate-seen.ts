import type { Fields } from '../record/event.ts';
import { textIn } from '../record/field-values.ts';
import type { ServiceName } from './words.ts';

/** Names that mean nothing to a shell. */
const PLAIN_NAME = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/;

/** A server's certificate that ends, or has ended, and where it was seen. */
export class CertificateSeen {
  /** ms since 1970. */
  readonly notAfter: number;
  readonly #certificate: Fields | undefined;
  readonly #sni: string;
  readonly #address: string;
  readonly #port: number;
  #hasOthers = false;

  /** @param certificate undefined where its names are not known @param sni empty for none */
  constructor(
    certificate: Fields | undefined,
    notAfter: number,
    sni: string,
    { address, port }: { readonly address: string; readonly port: number },
  ) {
    this.#certificate = certificate;
    this.notAfter = notAfter;
    this.#sni = sni;
    this.#address = address;
    this.#port = port;
  }

  /** The one of both that ends first, the first seen where both do. */
  withOther(other: CertificateSeen): CertificateSeen {
    const first = other.notAfter < this.notAfter ? other : this;
    if (this.#hasOthers || this.#identity !== other.#identity) first.#hasOthers = true;
    return first;
  }

  /** `: subject CN=web, issuer CN=ca, serial 01ab`; empty where nothing of it is known. */
  get text(): string {
    const known = ['subject', 'issuer', 'serial'].flatMap((member) => {
      const value = textIn(this.#certificate?.[member]);
      return value === '' ? [] : [`${member} ${value}`];
    });
    if (known.length === 0) return '';
    return `${this.#hasOthers ? ' or another that ends; the first to end has' : ':'} ${known.join(', ')}`;
  }

  /** What to do, with commands that show the certificate that is served, and the Secrets that may hold it. */
  next(service: ServiceName | undefined): string {
    const host = this.#address.includes(':') ? `[${this.#address}]` : this.#address;
    const name = PLAIN_NAME.test(this.#sni) ? ` -servername ${this.#sni}` : '';
    const served = `To see which one is served: openssl s_client -connect ${host}:${this.#port}${name} </dev/null | openssl x509 -noout -subject -issuer -serial -dates`;
    const secrets =
      service === undefined
        ? ''
        : `. To list the Secrets it may be in: kubectl get secret -n ${service.namespace} --field-selector type=kubernetes.io/tls`;
    return `Renew the certificate, and have the server load it. ${served}${secrets}`;
  }

  get #identity(): string {
    return `${textIn(this.#certificate?.issuer)} ${textIn(this.#certificate?.serial)} ${this.notAfter}`;
  }
}
