/** Layers decoded of one packet: past any sane nesting of tags, extension headers and tunnels. */
export const LAYERS_MAXIMUM = 32;

/** Octets of a stream's beginning that protocols may look at to say whether it is theirs. */
export const PROBE_BYTES = 2048;

/** Characters kept of a request line, a statement, a name, an error's text. */
export const TEXT_MAXIMUM = 1024;

/** Requests of one connection that wait for their answers; past it the oldest is told as unanswered. */
export const PENDING_PER_STREAM = 1024;

/** Exchanges of all flows of a datagram protocol that wait for their answers. */
export const PENDING_DATAGRAMS = 65_536;

/** Addresses told apart in one analysis; further ones are counted as one. */
export const HOSTS_MAXIMUM = 1_000_000;
