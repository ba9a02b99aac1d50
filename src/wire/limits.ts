/** Every bound of the stream between tcpdump, agent and client. Sizes are bytes, times milliseconds. */

/** tcpdump's own default since 4.9: long enough for any GSO frame (tcpdump(8), -s). */
export const SNAPLEN_DEFAULT = 262_144;
export const SNAPLEN_MINIMUM = 1;

/**
 * `--headers-only`: the headers of every layer the analyzer follows, at their longest in practice: link (20), VXLAN or
 * Geneve in IPv6 with options (40 + 8 + 8 + 64), Ethernet with two tags (22), IPv6 (40), TCP with all its options (60).
 */
export const HEADERS_SNAPLEN = 264;

/** One captured packet can never be longer than this (MAXIMUM_SNAPLEN in libpcap's pcap-int.h). */
export const SNAPLEN_MAXIMUM = 262_144;

/** Largest pcapng block that is believed; a longer total length means a damaged stream. */
export const BLOCK_MAXIMUM = 16 * 1024 * 1024;

/** Interfaces in one section; more are refused rather than remembered. */
export const INTERFACES_MAXIMUM = 65_536;

/** Bytes of the blocks that describe a capture's interfaces, together: a block has a filter of up to 4 KiB and some names. */
export const INTERFACE_BYTES_MAXIMUM = 32 * 1024 * 1024;

/** Of one Name Resolution Block: records, names of an address, and bytes of a name. Pods and Services have up to 253. */
export const NAME_RECORDS_MAXIMUM = 65_536;
export const NAMES_OF_ADDRESS_MAXIMUM = 64;
export const NAME_BYTES_MAXIMUM = 1_024;

/** Characters of a sentence from an agent, and of all output that is not its protocol; the rest is left out. */
export const SENTENCE_MAXIMUM = 2_000;

/** One JSON line of the control protocol, either way. */
export const CONTROL_LINE_MAXIMUM = 4 * 1024 * 1024;

/** Targets in one request to an agent. */
export const TARGETS_PER_AGENT = 500;

/** The highest process id of 64-bit Linux (PID_MAX_LIMIT, linux/threads.h). */
export const PID_MAXIMUM = 2 ** 22;

/** A capture filter's text, UTF-8. Compiling costs more than the square of its length: 9 KB of port ranges took 100 s. */
export const FILTER_MAXIMUM = 4_096;

/** Ranges of ports in a filter that ksnoop makes, of one protocol. */
export const PORT_RANGES_MAXIMUM = 64;

/** The client sends a heartbeat this often, and the agent `alive`. */
export const HEARTBEAT_MS = 5_000;

/** Without a heartbeat for this long an exec capture ends (design: Leases). */
export const LEASE_MS = 15_000;

/** A capture ends by itself after this long unless its request has a shorter limit: in case the lease fails. */
export const DURATION_MAXIMUM_MS = 24 * 3_600_000;

/** Framed packets waiting in the agent for a slow client; past it whole packets are dropped and counted. */
export const SPOOL_BYTES = 64 * 1024 * 1024;

/** Statistics blocks are written to the stream this often while it runs. */
export const STATISTICS_INTERVAL_MS = 5_000;

/** How long the agent holds its process for the client's acknowledgement of the end marker. */
export const END_ACKNOWLEDGE_MS = 15_000;

/** Small packets are gathered this long before they are written. */
export const COALESCE_MS = 10;

/** How long a port-forward session is kept without a message of its client: by default, at least and at most. */
export const RESUME_WINDOW_MS = 25_000;
export const RESUME_WINDOW_MINIMUM_MS = 10_000;
export const RESUME_WINDOW_MAXIMUM_MS = 600_000;

/** Bytes of a port-forward session's stdout that were sent and not acknowledged; past it the spool fills. */
export const RESUME_BYTES = 16 * 1024 * 1024;

/** The same of its stderr. */
export const RESUME_EVENT_BYTES = 1024 * 1024;

/** What one frame of a session carries at most. */
export const FRAME_BYTES = 64 * 1024;

/** Bytes taken are acknowledged after so many of a channel, or after this time. */
export const ACKNOWLEDGE_BYTES = 256 * 1024;
export const ACKNOWLEDGE_MS = 200;
