import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';

/**
 * X.509 certificates (RFC 5280) made in the process: ECDSA P-256, enough for TLS on loopback, with any dates. No
 * openssl has to be on the machine.
 */
export interface Issued {
  /** PEM. */
  readonly certificate: string;
  /** PEM, PKCS #8. */
  readonly key: string;
}

export interface Authority extends Issued {
  readonly name: string;
  readonly privateKey: KeyObject;
}

interface Wanted {
  readonly name: string;
  /** Becomes the group in Kubernetes. */
  readonly organization?: string;
  /** Host names and addresses of a server. */
  readonly hosts?: readonly string[];
  readonly from?: Date;
  readonly until?: Date;
}

const DAY = 86_400_000;

export function makeAuthority(name: string): Authority {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = distinguished(name, undefined);
  const certificate = signed(subject, subject, publicKey, privateKey, { name }, true);
  return { name, privateKey, certificate, key: pemKey(privateKey) };
}

export function issue(authority: Authority, wanted: Wanted): Issued {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = distinguished(authority.name, undefined);
  const subject = distinguished(wanted.name, wanted.organization);
  const certificate = signed(issuer, subject, publicKey, authority.privateKey, wanted, false);
  return { certificate, key: pemKey(privateKey) };
}

function signed(
  issuer: Buffer,
  subject: Buffer,
  publicKey: KeyObject,
  signer: KeyObject,
  wanted: Wanted,
  isAuthority: boolean,
): string {
  const algorithm = sequence(oid('2a8648ce3d040302'));
  const extensions = [extension('551d13', sequence(...(isAuthority ? [tlv(0x01, Buffer.of(0xff))] : [])))];
  if (wanted.hosts !== undefined) {
    const names = wanted.hosts.map((host) =>
      isIP(host) ? tlv(0x87, addressBytes(host)) : tlv(0x82, Buffer.from(host)),
    );
    extensions.push(extension('551d11', sequence(...names)));
  }
  const body = sequence(
    tlv(0xa0, tlv(0x02, Buffer.of(2))),
    tlv(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])),
    algorithm,
    issuer,
    sequence(time(wanted.from ?? new Date(Date.now() - DAY)), time(wanted.until ?? new Date(Date.now() + DAY))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    tlv(0xa3, sequence(...extensions)),
  );
  const signature = createSign('sha256').update(body).sign(signer);
  const der = sequence(body, algorithm, tlv(0x03, Buffer.concat([Buffer.of(0), signature])));
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function pemKey(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function tlv(tag: number, content: Buffer): Buffer {
  const length =
    content.length < 128
      ? Buffer.of(content.length)
      : content.length < 256
        ? Buffer.of(0x81, content.length)
        : Buffer.of(0x82, content.length >> 8, content.length & 0xff);
  return Buffer.concat([Buffer.of(tag), length, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tlv(0x30, Buffer.concat(parts));
}

function oid(hex: string): Buffer {
  return tlv(0x06, Buffer.from(hex, 'hex'));
}

function distinguished(name: string, organization: string | undefined): Buffer {
  const part = (id: string, text: string) => tlv(0x31, sequence(oid(id), tlv(0x0c, Buffer.from(text))));
  return sequence(...(organization === undefined ? [] : [part('55040a', organization)]), part('550403', name));
}

/** GeneralizedTime, which holds for every year. */
function time(date: Date): Buffer {
  return tlv(0x18, Buffer.from(`${date.toISOString().replace(/[-:T]/g, '').slice(0, 14)}Z`));
}

function extension(id: string, value: Buffer): Buffer {
  return sequence(oid(id), tlv(0x04, value));
}

function addressBytes(address: string): Buffer {
  if (isIP(address) === 4) return Buffer.from(address.split('.').map(Number));
  const [head = '', tail = ''] = address.split('::');
  const groups = (text: string) => text.split(':').filter((group) => group !== '');
  const zeros = Array(8 - groups(head).length - groups(tail).length).fill('0');
  return Buffer.from(
    [...groups(head), ...zeros, ...groups(tail)].map((group) => group.padStart(4, '0')).join(''),
    'hex',
  );
}
