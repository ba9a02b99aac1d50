/** RFC 9293, section 3.1. */
export const TCP = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32 } as const;

/** What is known of a connection as a whole (C.state). */
export const STATE = { opening: 0, open: 1, halfClosed: 2, closed: 3, reset: 4, refused: 5 } as const;

/** Bits of C.flags, by direction. */
export const SEEN = {
  /** `next` holds. */
  next: 1,
  /** `high` holds. */
  high: 2,
  ack: 4,
  syn: 8,
  fin: 16,
  /** The last segment was a keep-alive. */
  keepAlive: 32,
  sackPermitted: 64,
  rst: 128,
  /** A segment's acknowledgement is waited for (`rttEnd`). */
  rtt: 256,
  /** It began the connection's end. */
  closedFirst: 512,
  /** The connection was under way when its first packet was seen (direction 0's flags only). */
  midstream: 1024,
  /** Both sides sent SYN before either acknowledged it: a simultaneous open. */
  simultaneous: 2048,
  /** Its stream has ended (direction 0's flags only): what still comes is not looked at. */
  streamEnded: 4096,
  /** It continues an evicted connection; an open exchange was given up with that one (direction 0's flags only). */
  continued: 8192,
  givenUp: 16_384,
  /** The last acknowledgement of its bytes came as late as a delayed ACK does. */
  delayedAck: 32_768,
  /** It sent a SYN, and reset what acknowledged another connection on the same ports. */
  collided: 65_536,
  /** It sent its SYN-ACK again after the handshake's last ACK and data of the client. */
  synAckAgain: 131_072,
  /** Its SYN was not captured; the first acknowledgment of the other direction shows its number. */
  acknowledged: 262_144,
  /** Its packets have one IP identification, whatever they carry: that identifies no packet. */
  sameIdentification: 524_288,
  /** Only packets for other hosts were seen of it (overheard.ts; direction 0's flags only). */
  overheard: 1_048_576,
  /** A packet of it with data, SYN or FIN, without an IP identification, came twice at once: so do its ACKs. */
  copied: 2_097_152,
  /** The copy of its last packet, an ACK without an IP identification, has come. */
  acknowledgedTwice: 4_194_304,
} as const;
