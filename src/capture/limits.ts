/** Bounds of the client's side of a capture. Sizes are bytes, times milliseconds. */

/** How long a packet waits for an earlier one of another interface before it is written all the same. */
export const MERGE_WINDOW_MS = 250;

/**
 * Up to so much that wait grows, while packets of busy nodes come late, where a delay matters less than the order: in files, in what
 * Wireshark reads, in traces.
 */
export const MERGE_WINDOW_LIMIT_MS = 2_000;

/** The same for captures into files: nobody reads a file before its capture ends, and packets are latest while captures begin. */
export const FILE_WINDOW_MS = 1_000;

/** The same for what was found on nodes: an analysis has waited for its own interfaces before, and sends several things at a time. */
export const EDGE_WINDOW_MS = 1_000;

/** How long an agent that joins waits for the one that was alone until then, milliseconds. */
export const NOT_ALONE_MS = 5_000;

/**
 * The same where requests are joined over several places, whose output waits longer anyway: on a busy node tcpdump hands
 * packets over later.
 */
export const JOINING_WINDOW_MS = 1_000;

/**
 * Packets of one interface that are stamped on several processors at the same time come out of order by less than this;
 * they are not called late. Nanoseconds.
 */
export const SAME_TIME_NS = 1_000_000;

/** A packet earlier than one this many before it was not overtaken: its node's clock has been set back. */
export const REORDER_PACKETS = 1_024;

/**
 * An interface with this many packets in a second is perhaps captured by a tcpdump that costs less and hands over up to
 * a second late (src/agent/limits.ts, BUSY_PACKETS), and for some seconds after: the merge waits longer for it.
 */
export const BUSY_PACKETS = 5_000;
export const BUSY_FOR_MS = 6_000;
export const BUSY_WINDOW_MS = 1_400;

/** Bytes of the packets that wait in the merge, of all interfaces; past it the earliest are written without waiting. */
export const MERGE_BYTES = 32 * 1024 * 1024;

/** Bytes on their way to the output; past it the agents' streams are paused. */
export const OUTPUT_BYTES = 4 * 1024 * 1024;

/** A stop asked for by the user waits this long for the agents' last packets; then they are reported as missing. */
export const DRAIN_MS = 120_000;

/** Waits between attempts to take up a lost stream: doubled from the first to the last. */
export const RECONNECT_FIRST_MS = 250;
export const RECONNECT_LAST_MS = 5_000;

/**
 * A lost stream whose target still exists is taken up again for this long, then it counts as failed: a node may restart, or
 * several parts of a cluster fail one after the other.
 */
export const RECONNECT_TOTAL_MS = 600_000;

/** A pod whose network namespace has gone: after these waits the API server is asked whether the pod still exists. */
export const STILL_THERE_MS = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000, 120_000, 300_000] as const;

/** Of several clusters: how long the others may take to find their targets once one of them has. */
export const CLUSTER_PLAN_MS = 10_000;

/** Clusters that are captured at once. */
export const CONTEXTS_MAXIMUM = 32;

/** Interfaces of one target that are counted: one for each network that the pod had, and for each stream that was lost. */
export const INTERFACES_PER_TARGET = 4_096;

/** Round trips remembered of each node, for the difference of its clock. */
export const CLOCK_SAMPLES = 16;

/** A clock that differs from this machine's by less is not worth a comment in the file, milliseconds. */
export const CLOCK_NOTED_MS = 10;

/** No event and no packet from an agent for this long: the stream counts as lost, even if its socket is open. */
export const SILENCE_MS = 20_000;

/** Requests that the first packets do not need (watches, names) start when a packet has left, or after this long. */
export const FIRST_PACKETS_MS = 500;

/** Where all targets are captured and none has a packet, these requests wait so much longer for one. */
export const SETTLED_MS = 100;

/** Lines of an agent's stderr that are not its protocol, kept for the error message. */
export const STRAY_LINES = 20;

/** How far up owner references are followed: pod, ReplicaSet, Deployment and what operators put above. */
export const OWNER_DEPTH = 8;

/** Owners remembered while a capture runs. */
export const OWNERS_REMEMBERED = 10_000;

/** Addresses whose pods are searched for `--clients`. */
export const CALLERS_MAXIMUM = 4096;

/** Services and pods that join because a target calls them (`--depth`). */
export const CALLEES_MAXIMUM = 64;

/** Addresses that targets call and that are looked up for `--depth`: those outside of the cluster count, too. */
export const CALLED_ADDRESSES_MAXIMUM = 4096;

/** The list of Services is read again for an unknown address when it is this old. */
export const SERVICES_STALE_MS = 5_000;

/** Calls of calls of calls: how far `--depth` goes at most. */
export const DEPTH_MAXIMUM = 8;

/** Targets of one capture; `--max-targets` changes it. */
export const TARGETS_MAXIMUM = 100;

/** Endpoints of one Service that name no pod and are searched by their address. */
export const LOOSE_ENDPOINTS = 64;

/** After a change of an object, further changes are waited for this long before the targets are resolved again. */
export const CHANGES_GATHER_MS = 200;

/** How long the API server's answer to a connection is waited for that only shows our own address. */
export const OWN_ADDRESS_MS = 2_000;

/** Permissions that `--dry-run` and `doctor` check. */
export const PERMISSIONS_CHECKED = 100;

/** A port-forward session's connection is pinged this often, and cut after this long without an answer. */
export const LINK_CHECK_MS = 2_000;
export const LINK_SILENCE_MS = 8_000;

/** An agent must answer at its port within this time; else exec is used where the transport is `auto`. */
export const SESSION_HANDSHAKE_MS = 10_000;

/** The same over exec, where a program is started first. */
export const EXEC_HANDSHAKE_MS = 60_000;

/** One attempt to take up a session on a new connection, and the waits between attempts. */
export const RESUME_ATTEMPT_MS = 5_000;
export const RESUME_FIRST_MS = 100;
export const RESUME_LAST_MS = 1_000;

/** How long the closing handshake with an agent may take before the connection is cut. */
export const GOODBYE_MS = 500;

/** One websocket message of an agent: a frame. */
export const AGENT_MESSAGE_MAXIMUM = 1024 * 1024;

/** Namespaces whose pods and Services are watched for names; with more, names are listed once. */
export const NAMED_NAMESPACES = 8;

/** The first packets wait so long, from when all targets are captured, for the names of their addresses. */
export const NAMES_WAIT_MS = 250;

/** Pods and Services of all namespaces that are listed for their names; no page is read after so many. */
export const CLUSTER_PODS_NAMED = 2_000;
export const CLUSTER_SERVICES_NAMED = 2_000;

/**
 * An object names the addresses of a recording that began so long after what is known of the object, milliseconds: its times are those of the
 * API server's and of its node's clock. An agent takes no ticket where clocks differ by half of this.
 */
export const NAMED_BEFORE_MS = 30_000;

/** Names are listed again at most this often. */
export const NAMES_INTERVAL_MS = 2_000;

/** Addresses whose names are remembered, so that each is given once. */
export const NAMES_REMEMBERED = 20_000;

/** Lists and watches of pods in one namespace; of more selections, all its pods are listed and sorted out here. */
export const QUERIES_PER_NAMESPACE = 8;

/** An ephemeral container for captures: how long it may take to start, how often it is looked at, when it ends by itself. */
export const PROBE_START_MS = 60_000;
export const PROBE_LOOK_MS = 150;
export const PROBE_LIFE_SECONDS = 6 * 3600;

/** Characters of what tcpdump printed that are kept. */
export const PROBE_WORDS = 4_096;

/**
 * Packets that the kernel has when a capture without agents ends: the kernel hands over a block that is not full after a
 * second (tcpdump.c, pcap_set_timeout).
 */
export const PROBE_DRAIN_MS = 1_200;

/** A Job that captures on a node: what the API server and the agent's port are asked again after, and when it ends at the latest. */
export const ONCE_LOOK_MS = 100;
export const ONCE_LIFE_SECONDS = 6 * 3600;
/** An ended Job is removed by the cluster after this time, where its client could not remove it. */
export const ONCE_TTL_SECONDS = 10;
/** How long a client waits, at the end of a capture, for its Job to be removed. */
export const ONCE_REMOVE_MS = 5_000;

/** How long the controller may take to look at a new Capture, and the API server to delete it at the end. */
export const ADMISSION_MS = 20_000;
export const TENANT_DELETE_MS = 5_000;

/** How long the next ticket for an agent is waited for (the controller makes one every 20 s), and how many are tried. */
export const TICKET_WAIT_MS = 30_000;
export const TICKETS_TRIED = 3;

/** A tcpdump that is uploaded into a pod; a static one has about 2 MB. Bytes. */
export const PROGRAM_MAXIMUM = 16 * 1024 * 1024;

/** Messages that leave with the request for a session, bytes: the agent takes a request and what came with it up to 8 KiB. */
export const EARLY_FRAMES_BYTES = 4 * 1024;
