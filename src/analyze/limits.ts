/** Layers decoded of one packet: past any sane nesting of tags, extension headers and tunnels. */
export const LAYERS_MAXIMUM = 32;

/** Packets within packets that are decoded. */
export const TUNNELS_MAXIMUM = 8;

/** Fragmented datagrams put together at once, bytes kept of them all, and how long the first waits for the last, in ns. */
export const FRAGMENTED_MAXIMUM = 4096;
export const FRAGMENT_TOTAL_BYTES = 16 * 1024 * 1024;
export const FRAGMENT_AGE_NS = 30e9;

/** For so long after a datagram was put together, in ns, its fragments are copies when they come again. */
export const FRAGMENT_COPY_NS = 1e9;

/** Runs of bytes, holes between them, that a datagram is kept in. */
export const FRAGMENT_RUNS = 256;

/** Bytes of a stream's beginning that protocols may look at to recognise it. */
export const PROBE_BYTES = 2048;

/** Characters kept of a request line, a statement, a name, an error's text. */
export const TEXT_MAXIMUM = 1024;

/** Bytes kept of a body that was asked for, as sent, and of all bodies at once. */
export const BODY_BYTES = 16 * 1024;
export const BODIES_TOTAL_BYTES = 64 * 1024 * 1024;

/** Requests of one connection that wait for their answers; past it the oldest is reported as unanswered. */
export const PENDING_PER_STREAM = 1024;

/**
 * Bytes that requests pending behind others take, about, on all connections at once; past it a connection gives up its oldest
 * for each further one.
 */
export const PENDING_TOTAL_BYTES = 64 * 1024 * 1024;

/** Exchanges of all flows of a datagram protocol that wait for their answers. */
export const PENDING_DATAGRAMS = 65_536;

/**
 * Of what analyses beside agents found: streams, open flows of all of them together, and addresses whose numbers are remembered.
 */
export const FOUND_STREAMS = 65_536;
export const FOUND_FLOWS = 524_288;
export const FOUND_HOSTS = 65_536;

/** How much higher than the last one the number of a flow may be that an agent gave it: those between may come later. */
export const FOUND_AHEAD = 1_048_576;

/** Connections whose handshake one node saw, for others that see them from their middle. */
export const FOUND_OPENED = 65_536;

/** Flows of lost agents that may go on when the agents are back. */
export const FOUND_LOST = 65_536;

/** Directions of flows at places of capture of which one agent names the packets for a trace. */
export const FOUND_WAYS = 131_072;

/** Changes of a sample of which an agent's user hears: one that falls behind every few seconds has that many in an hour. */
export const SAMPLE_NOTES = 1_000;

/** Names of nodes that are given of a sample. */
export const SAMPLE_NODES = 1_000;

/** Clusters that a capture tells apart; interfaces of others count as one cluster without names. */
export const CLUSTERS_MAXIMUM = 1_000;

/** Distinct addresses of one analysis; further ones are counted as one. */
export const HOSTS_MAXIMUM = 1_000_000;

/** Addresses that names are remembered of. */
export const NAMED_ADDRESSES_MAXIMUM = 200_000;

/** Distinct identities of addresses, and characters of their names: DNS can give one address any number of names. */
export const IDENTITIES_MAXIMUM = 200_000;
export const IDENTITIES_CHARACTERS = 32 * 1024 * 1024;

/** Addresses counted one by one whose owner the cluster and the packets name differently. */
export const DISPUTED_MAXIMUM = 1024;

/** TCP connections, and other flows, followed at once; past it those longest silent end early, which is counted. */
export const TCP_FLOWS_MAXIMUM = 65_536;
export const FLOWS_MAXIMUM = 262_144;

/** Evicted connections that are remembered, a power of two: those that go on are not new. */
export const EVICTED_REMEMBERED = 4_194_304;

/** With more connections in the table than this, closed ones stay for CLOSED_PRESSED_NS only. */
export const CLOSED_PRESSURE = 16_384;
export const CLOSED_PRESSED_NS = 100e6;

/** Silence after which a flow ends, in nanoseconds of packet time. */
export const CLOSED_IDLE_NS = 10e9;
export const OPENING_IDLE_NS = 120e9;
export const TCP_IDLE_NS = 3600e9;
export const DATAGRAM_IDLE_NS = 120e9;

/** Bytes that wait behind a hole: of one direction, and of all connections. */
export const OUT_OF_ORDER_BYTES = 1024 * 1024;
export const OUT_OF_ORDER_TOTAL_BYTES = 32 * 1024 * 1024;

/** Segments that wait behind a hole of one direction. */
export const OUT_OF_ORDER_SEGMENTS = 1024;

/**
 * Bytes that their receiver has acknowledged, and that were not captured, are waited for this long: packets of two network
 * cards or taps come swapped by less. Nanoseconds of packet time.
 */
export const REORDER_NS = 2e6;

/** How long missing bytes are waited for that no packet acknowledges. */
export const HOLE_NS = 5e9;

/**
 * How long missing bytes are waited for that the receiver has shown to miss too, by an acknowledgment number before them: they
 * will be sent again, at most so much later (Linux's TCP_RTO_MAX). Nanoseconds of packet time.
 */
export const UNRECEIVED_NS = 120e9;

/** An acknowledgment number that is further ahead of what was seen is not believed: more than windows hold. */
export const SEQUENCE_JUMP_MAXIMUM = 1 << 28;

/** Flows to a proxy on the same machine, and from addresses behind one, that wait for their other half. */
export const REDIRECT_CANDIDATES = 65_536;

/** Sequence numbers this near to the other half's are the same connection's. Bytes */
export const REDIRECT_NEAR_BYTES = 1 << 20;

/** Handshakes, segments or datagrams that are remembered to recognise a connection's other leg; a power of two. */
export const LEG_ENTRIES = 65_536;

/** Both legs show the same within this time, in ns; clocks of nodes differ. */
export const LEG_HANDSHAKE_WINDOW_NS = 3e9;
export const LEG_SEGMENT_WINDOW_NS = 3e9;
export const LEG_DATAGRAM_WINDOW_NS = 5e9;

/** Bytes of a segment or datagram that are compared, and segments of a connection begun mid-stream that are looked at. */
export const LEG_CONTENT_BYTES = 64;
export const LEG_SEGMENTS = 64;

/** A sender's packets that may come between a packet and its copy at the same place. */
export const COPY_PACKETS = 64;

/** Datagrams that are remembered to recognise copies, a power of two. */
export const RECENT_DATAGRAMS = 65_536;

/**
 * The same packet again is a copy within this time: at the same place by its identification, and where it has none (sooner
 * than anybody sends again); at another place. ns
 */
export const COPY_NS = 3e6;
export const COPY_UNNUMBERED_NS = 100e3;
export const COPY_ELSEWHERE_NS = 3e9;

/** Places of capture of one flow that are distinguished, besides the first. */
export const PLACES_PER_FLOW = 8;

/** A place counts when for so long it alone brought what is new of a direction. ns */
export const HANDOVER_NS = 250e6;

/**
 * A SYN so little before the first bytes seen of a connection is that connection's: it was captured at another place, or out
 * of order. The next connection of the same ports begins at numbers behind them (RFC 6528). Bytes
 */
export const LATE_SYN_BYTES = 65_535;

/** Datagrams of a flow that are kept until the place that counts has brought them. */
export const HELD_DATAGRAMS = 64;

/** Bytes of one direction, captured elsewhere, that are kept until the place that counts has brought them. */
export const SPARE_BYTES = 128 * 1024;

/** Connections whose segments are remembered place by place to trace requests, and all their remembered segments. */
export const TRACE_CONNECTIONS = 16_384;
export const TRACE_MARKS_TOTAL = 4 * 1024 * 1024;

/** Segments of one direction at one place that are remembered (a power of two), and of those that came again or late. */
export const TRACE_MARKS = 512;
export const TRACE_REPEATS = 64;

/** Flows of datagrams that are remembered likewise, and datagrams of one direction at one place. */
export const TRACE_DATAGRAM_FLOWS = 16_384;
export const TRACE_DATAGRAMS = 64;

/** The same datagram within this time was sent again: resolvers give up earlier. ns */
export const TRACE_DATAGRAM_AGAIN_NS = 30e9;

/** Hosts at places of which it is known whether they take requests or make calls. */
export const TRACE_ROLES = 262_144;

/** Connections whose SYN was seen and whose data was not. */
export const TRACE_BEGUN = 65_536;

/** Requests that wait for those they belong to, and candidates looked at for one. */
export const TRACE_PENDING = 65_536;
export const TRACE_CANDIDATES = 256;

/** Calls that are shown below one request, and how deep they go. */
export const TRACE_CALLS = 256;
export const TRACE_DEPTH = 16;

/** Places, hosts and addresses of sidecars that are remembered, of each kind. */
export const TRACE_SIDECARS = 65_536;

/** Connections between two pods that may have carried one request between their sidecars, and connections of one host that are looked at. */
export const TRACE_PASSAGES = 64;

/** Flows whose handshake is not complete that are followed place by place. */
export const TRACE_OPENINGS = 65_536;

/** Captured pods that are listed because they did not see a connection's SYN. */
export const TRACE_NOT_SEEN = 8;

/** Pairs of clocks whose offset is followed, how long it is taken to be constant (ns), and how many of those spans are remembered. */
export const TRACE_CLOCK_PAIRS = 1024;
export const TRACE_CLOCK_WINDOW_NS = 10e9;
export const TRACE_CLOCK_WINDOWS = 16;

/** Different parts of routes of which the usual duration is known. */
export const TRACE_ROUTES = 4096;

/** Routes of which a slow and a failed request are kept. */
export const TRACE_EXAMPLES = 256;

/** Subjects of one kind of finding that have counts of their own, and examples kept of each. */
export const FINDING_SUBJECTS = 1024;
/** Servers whose attempts are counted, and clients, and pairs of them: of more none is judged. */
export const FINDING_TALLIES = 8192;
export const FINDING_EXAMPLES = 5;

/** Interfaces whose network namespace's state is kept: two states of up to 1 MiB each, some 10 KiB in practice. */
export const STATES_KEPT = 256;

/** Memory that the secrets of a key log take at most, bytes: those of some 40,000 connections of TLS 1.3. */
export const KEY_LOG_BYTES = 32 * 1024 * 1024;
