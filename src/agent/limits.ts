/** Bounds and times of the node side alone. Milliseconds and bytes unless the name has another unit. */

/** Rings of all network namespaces of a session together, KiB, of all sessions of a process, and of one alone at most and at least. */
export const RINGS_KIB = 128 * 1024;
export const RINGS_OF_ALL_KIB = 1024 * 1024;
export const RING_MAXIMUM_KIB = 32 * 1024;
export const RING_MINIMUM_KIB = 1024;

/** With more packets than this since the last check a tcpdump is replaced by one that costs less. */
export const BUSY_PACKETS = 20_000;

/** A network namespace is calm again when it has had fewer packets than this in each of CALM_CHECKS checks. */
export const CALM_PACKETS = 10_000;
export const CALM_CHECKS = 3;

/**
 * The kernel's ring hands over a block that is not full when its timer ends: tcpdump's read timeout, 100 or 1000 ms
 * (tcpdump.c, pcap_set_timeout). Then a packet will not come any more; with some time for the way.
 */
export const RING_DRAIN_MS = { immediate: 250, prompt: 250, busy: 1_200, flushed: 1_200 } as const;

/**
 * So many packets are brought ahead of a ring's first block, by a separate tcpdump with a ring of this size, in this time
 * at most, if it listens so soon after the other: only where no more captures than these begin together, for its start
 * takes the processor from theirs. The ring has a slot of 512 KiB for each packet, which the kernel clears first: a larger one would
 * delay the first packet.
 */
export const FIRST_PACKETS = 8;
export const FIRST_RING_KIB = 2 * 1024;
export const FIRST_PACKETS_MS = 400;
export const FIRST_LISTENS_MS = 50;
export const FIRST_PACKETS_CAPTURES = 4;

/** Two tcpdumps' times of one packet differ by less, nanoseconds. */
export const SAME_PACKET_NS = 5_000_000;

/** What compiling one filter may cost: seconds of CPU, and bytes of address space. */
export const COMPILE_CPU_SECONDS = 5;
export const COMPILE_BYTES = 128 * 1024 * 1024;

/** Characters of a filter in an error message. */
export const FILTER_SHOWN = 200;

/** tcpdump must print that it listens within this time, and end this soon after SIGINT. */
export const TCPDUMP_START_MS = 10_000;
export const TCPDUMP_END_MS = 5_000;

/**
 * How long statistics that tcpdump is asked for are waited for: it prints them when it runs the next time. When it runs it also
 * reads its ring, and what was there comes in this time.
 */
export const STATISTICS_MS = 10_000;
export const RING_READ_MS = 50;

/** How often the processes behind the targets, and the rate of packets, are looked at. */
export const LIFE_CHECK_MS = 1_000;

/**
 * How often the node's processes are looked at while a pod's sandbox is waited for: soon after it was asked for, and
 * later. A look reads nothing of processes that are known.
 */
export const SANDBOX_LOOK_MS = 50;
export const SANDBOX_LATER_LOOK_MS = 250;
export const SANDBOX_SOON_MS = 60_000;

/** A new process is moved to its pod's cgroup shortly after it was made: it is read in this many looks. */
export const SANDBOX_LOOKS = 6;

/** Open files of a kubelet or container runtime that are looked through for the ports it listens on. */
export const FILES_OF_CARRIER = 4_096;

/** Interfaces that have ended, named in the end marker; of more only the latest are. */
export const ENDED_KEPT = 4_096;

/** The last events of a session whose client does not read are waited for so long. */
export const LAST_EVENTS_MS = 1_000;

/** Pipes that a capture of one target needs at its beginning: the ring's, and that of its first packets. */
export const PIPES_OF_FIRST = 2;

/** Those of the next session are made so long after a session began: a program is run for them, and its first packets go before. */
export const PIPES_AGAIN_MS = 1_000;

/** Read from tcpdump at once: what its pipe holds (pipe(7)). */
export const READ_BYTES = 64 * 1024;

/** Batches kept for use again, of all sessions of a process together. */
export const BATCHES_KEPT = 16;

/**
 * Of batches in memory those past this go to disk, where there is one. On disk are so many bytes of one session at most, of
 * all sessions of the waiting process, and of an exec'd process: EXEC_CAPTURES of these and the waiting process together stay
 * within the emptyDir's sizeLimit (daemonset/base/daemonset.yaml).
 */
export const SPILL_BYTES = 32 * 1024 * 1024;
export const SPOOL_FILE_BYTES = 256 * 1024 * 1024;
export const SPOOL_FILES_BYTES = 6 * 1024 * 1024 * 1024;
export const EXEC_FILE_BYTES = 64 * 1024 * 1024;

/** Captures at once by exec'd processes of an agent, each a process of its own; and by the waiting process. */
export const EXEC_CAPTURES = 32;
export const HOSTED_CAPTURES = 160;

/** tcpdump's stderr kept for an error message. */
export const STDERR_KEPT = 4_096;

/** Events waiting on a stderr that is not read; past it the repeated ones (counters, alive) are left out. */
export const EVENT_BACKLOG_BYTES = 256 * 1024;

/** The session listener: connections at once, sessions, a request's head, and how long it may take. */
export const LISTENER_CONNECTIONS = 512;
export const LISTENER_SESSIONS = 256;
export const REQUEST_HEAD_MAXIMUM = 8 * 1024;
export const REQUEST_HEAD_MS = 10_000;

/** A request's head with a ticket. Node's HTTP server reads no longer one. */
export const TICKET_HEAD_MAXIMUM = 15 * 1024;

/** Refused tickets in a row after which a session ends. A client has a few each minute where the clocks of nodes differ. */
export const REFUSED_TICKETS = 200;

/** Tickets that were used and have not expired; of each, its id is kept. The file of the controller's public keys, bytes. */
export const USED_TICKETS = 20_000;
export const PUBLIC_KEY_BYTES = 16 * 1024;

/** The clock of the controller's node may be ahead of this node's by so much. */
export const TICKET_CLOCK_MS = 15_000;

/** One websocket message of a client: a frame. */
export const CLIENT_MESSAGE_MAXIMUM = 128 * 1024;

/** How often a session that has ended checks whether its last messages were acknowledged. */
export const FINISH_CHECK_MS = 50;

/** More than this waiting for the network: the way to the client is full, and compression is tried. */
export const FULL_BYTES = 512 * 1024;

/** How long each rate is measured, how long the faster one stays, and how much faster compression must be. */
export const COMPRESSION_PROBE_MS = 400;
export const COMPRESSION_SETTLED_MS = 10_000;
export const COMPRESSION_GAIN = 1.1;

/** Shorter frames are not compressed. */
export const COMPRESSION_MINIMUM = 512;

/**
 * Memory of the agent's container that nothing grows into, bytes: for dead buffers that are not collected yet, copies that the
 * kernel keeps of what was sent, and what was taken since the last reading. How old a reading of it may be, milliseconds.
 */
export const MEMORY_RESERVE = 64 * 1024 * 1024;
export const MEMORY_STALE_MS = 20;

/**
 * Where less than this is left above the reserve, the waiting process looks at its dead buffers so often, milliseconds, and
 * collects them where they are so many bytes: V8 by itself lets 64 MiB pile up and more.
 */
export const MEMORY_SHORT = 96 * 1024 * 1024;
export const DEAD_LOOK_MS = 50;
export const DEAD_BYTES = 24 * 1024 * 1024;

/**
 * What a session takes before its request, and a capture with its tcpdumps before its first packet, bytes (measured: 1.4 MB
 * for each of two tcpdumps, 0.1 MB to read each), and each further network namespace of it; and how long that takes.
 */
export const SESSION_MEMORY = 256 * 1024;
export const CAPTURE_MEMORY = 3 * 1024 * 1024;
export const NAMESPACE_MEMORY = 2 * 1024 * 1024;
export const STARTING_MS = 2_000;

/**
 * Bytes of a slow client's packets that stay in memory in any case, as many that wait for its acknowledgement, and bytes of
 * events that do; past them each step of SPOOL_GRANT must be granted. FLOORS: all of a session's over port-forward.
 */
export const SPOOL_FLOOR = 512 * 1024;
export const EVENT_FLOOR = 64 * 1024;
export const FLOORS = 2 * SPOOL_FLOOR + EVENT_FLOOR;
export const SPOOL_GRANT = 2 * 1024 * 1024;

/** What is read of each file of a namespace's state, how many listening sockets are told, and how long reading may take. */
export const STATE_FILE_BYTES = 512 * 1024;
export const LISTENING_MAXIMUM = 1_000;
export const STATE_READ_MS = 2_000;

/** Directories of a pod's cgroup that are looked at: one for each container. */
export const THROTTLED_CONTAINERS = 64;

/** What is read of a pod's resolv.conf, and how many servers and domains of it are kept. */
export const RESOLV_CONF_BYTES = 64 * 1024;
export const RESOLV_CONF_WORDS = 32;

/** What is read of a node's connection tracking table, how many pairs of addresses are counted, and which of them are kept. */
export const SNAT_TABLE_BYTES = 64 * 1024 * 1024;
export const SNAT_PAIRS = 16_384;
export const SNAT_LEAST = 1_000;
export const SNAT_SHOWN = 4;

/**
 * The analysis of one session's packets on their node: memory that is admitted for it, what of it may be JavaScript's (the rest is
 * tables and packets that wait for their order), and bytes of what it found that wait for the client's stream. Longer pieces of the
 * stream are given to it without a copy.
 */
export const EDGE_MEMORY = 120 * 1024 * 1024;
export const EDGE_HEAP_MB = 64;
export const EDGE_YOUNG_MB = 8;
export const EDGE_PENDING_BYTES = 1024 * 1024;
export const EDGE_TRANSFER_BYTES = 64 * 1024;

/** A namespace's state is first taken so long after its capture began: its first packets go before. */
export const STATE_AFTER_MS = 500;

/** How often it is looked at whether a client is still there. */
export const LEASE_LOOK_MS = 500;

/** A session's first request must come so soon, whatever its resume window. */
export const FIRST_REQUEST_MS = 15_000;

/** An agent that was started for one capture ends when no session has come for this long, and after its last session. */
export const UNUSED_FIRST_MS = 30_000;
export const UNUSED_MS = 5_000;

/**
 * Recordings: of a node at once, on its disk together (KSNOOP_RECORDINGS_BYTES) and of one piece where its order has no ring, bytes;
 * and of the file that has its state.
 */
export const RECORDINGS_MAXIMUM = 200;
export const RECORDINGS_BYTES = 6 * 1024 * 1024 * 1024;
export const RECORDING_PIECE_BYTES = 64 * 1024 * 1024;
export const RECORDING_STATE_BYTES = 4 * 1024 * 1024;

/**
 * What recordings leave free of the node's disk, a share of it: below a tenth the kubelet evicts pods (nodefs.available, by default). How long
 * a look at the disk counts.
 */
export const RECORDINGS_FREE_SHARE = 0.12;
export const DISK_LOOK_MS = 1_000;

/** A recording on the disk that could not be read is read again after this. */
export const RECORDING_REREAD_MS = 30_000;

/** Of a recording's packets that wait for the disk: bytes in memory. */
export const RECORDING_SPOOL_BYTES = 16 * 1024 * 1024;

/** Shorter writes to a recording's piece wait so long for what comes next. */
export const GATHERED_BYTES = 64 * 1024;
export const GATHER_MS = 100;

/** An order waits so long until its new pods are captured; one that failed is tried again by an order after this time. */
export const RECORDING_PODS_MS = 5_000;
export const RECORDING_RETRY_MS = 10_000;

/** A request about recordings must come whole in this time; a connection without one is closed; a piece is sent in this time. */
export const RECORDING_REQUEST_MS = 30_000;
export const RECORDING_IDLE_MS = 60_000;
export const RECORDING_PIECE_MS = 600_000;

/** Uploads at once of a node, how often one is tried, and how long one try may be silent and may last. */
export const UPLOADS = 2;
export const UPLOAD_TRIES = 4;
export const UPLOAD_SILENCE_MS = 60_000;
export const UPLOAD_MS = 900_000;

/** Bytes that are copied to a volume at once, and read from one for one connection. */
export const COPY_BYTES = 1024 * 1024;
export const STORED_READ_BYTES = 256 * 1024;

/**
 * Threads that evaluate triggers: of a node at once, MiB of V8's heap of one, bytes that are admitted for one (its heap, and its tables
 * outside of it), how long one may take to start, to go on where packets wait, and to end, and how often that is looked at.
 */
export const TRIGGERS_MAXIMUM = 4;
export const TRIGGER_HEAP_MIB = 64;
export const TRIGGER_MEMORY = 64 * 1024 * 1024;
export const TRIGGER_START_MS = 20_000;
export const TRIGGER_SILENCE_MS = 60_000;
export const TRIGGER_END_MS = 60_000;
export const TRIGGER_LOOK_MS = 5_000;

/** A thread that ends is started again so often. */
export const TRIGGER_STARTS = 3;

/** Captures of which it is remembered what their sessions have captured. */
export const CAPTURES_COUNTED = 2_000;
