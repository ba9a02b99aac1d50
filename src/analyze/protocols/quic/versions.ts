/** Kinds of packets with a long header, as they are called in all versions. */
export const PACKET = { initial: 0, zeroRtt: 1, handshake: 2, retry: 3 } as const;
export type PacketKind = (typeof PACKET)[keyof typeof PACKET];

/** What of QUIC's first packets depends on the version. */
export interface QuicVersion {
  /** As it is shown: `1`, `2`, `draft-29`. */
  readonly name: string;
  /** Of the Initial packets' keys (RFC 9001 section 5.2). */
  readonly salt: Uint8Array;
  /** Before `key`, `iv` and `hp`. */
  readonly label: string;
  /** Of key updates. quic-go (0.64) uses version 1's in version 2 as well, against RFC 9369 section 3.3.2. */
  readonly updateLabels: readonly string[];
  /** Kind of a long header's packet by its two type bits. */
  readonly kinds: readonly PacketKind[];
}

const KINDS = [PACKET.initial, PACKET.zeroRtt, PACKET.handshake, PACKET.retry];

const draft = (number: number, salt: string): QuicVersion => ({
  name: `draft-${number}`,
  salt: Buffer.from(salt, 'hex'),
  label: 'quic ',
  updateLabels: ['quic ku'],
  kinds: KINDS,
});

const DRAFT_29_SALT = 'afbfec289993d24c9e9786f19c6111e04390a899';

/** RFC 9000 and 9001, RFC 9369, and the drafts since the 29th that still are met. */
const VERSIONS: ReadonlyMap<number, QuicVersion> = new Map([
  [
    0x00000001,
    {
      name: '1',
      salt: Buffer.from('38762cf7f55934b34d179ae6a4c80cadccbb7f0a', 'hex'),
      label: 'quic ',
      updateLabels: ['quic ku'],
      kinds: KINDS,
    },
  ],
  [
    0x6b3343cf,
    {
      name: '2',
      salt: Buffer.from('0dede3def700a6db819381be6e269dcbf9bd2ed9', 'hex'),
      label: 'quicv2 ',
      updateLabels: ['quicv2 ku', 'quic ku'],
      kinds: [PACKET.retry, PACKET.initial, PACKET.zeroRtt, PACKET.handshake],
    },
  ],
  [0xff00001d, draft(29, DRAFT_29_SALT)],
  [0xff00001e, draft(30, DRAFT_29_SALT)],
  [0xff00001f, draft(31, DRAFT_29_SALT)],
  [0xff000020, draft(32, DRAFT_29_SALT)],
]);

/** What is known of a version's number; undefined for an unknown one. */
export function quicVersion(version: number): QuicVersion | undefined {
  return VERSIONS.get(version);
}

/** `1`, `draft-29`; `0x1a2a3a4a` for an unknown one. */
export function quicVersionName(version: number): string {
  return VERSIONS.get(version)?.name ?? `0x${version.toString(16).padStart(8, '0')}`;
}

/** Whether a version stands for nothing but the exercise of negotiation (RFC 9000 section 15). */
export function isReservedVersion(version: number): boolean {
  return (version & 0x0f0f0f0f) >>> 0 === 0x0a0a0a0a;
}
