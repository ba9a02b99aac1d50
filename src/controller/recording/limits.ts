/** Bounds of recordings in the controller. Times are milliseconds. */

/** Bytes of a recording on each node, where neither limits.bytes nor limits.ring is set. */
export const RECORDING_BYTES_DEFAULT = 256 * 2 ** 20;

/** The ring in which a trigger finds the packets before an exchange, where limits.ring is not set. */
export const TRIGGER_RING = { files: 8, fileBytes: 16 * 2 ** 20 } as const;

/** What a trigger keeps before and after the exchange that matches, where it says nothing else. */
export const TRIGGER_BEFORE_DEFAULT_MS = 30_000;
export const TRIGGER_AFTER_DEFAULT_MS = 10_000;

/** How long the files of a recording stay on the node after its end. */
export const KEEP_RECORDED_MS = 24 * 3_600_000;

/** Files for which one request asks a URL. */
export const FETCH_FILES = 50;

/** How often the agents are asked how a recording goes. */
export const POLL_MS = 10_000;
/** How often where something changes soon: it begins, ends, or a file is on its way. */
export const POLL_SOON_MS = 1_000;
/** How often an agent that does not answer is asked. */
export const POLL_FAILING_MS = 5_000;

/** Requests to one agent at the same time. */
export const REQUESTS_OF_AGENT = 4;

/** The requester's permission is checked again so often while nothing joins: with what the check and the agents take, a minute at most. */
export const ALLOWED_AGAIN_MS = 45_000;

/** So long after the end of a recording an agent that does not answer, or a file that cannot be sent, is waited for. */
export const END_WAIT_MS = 5 * 60_000;

/** The agents are asked for recordings whose Capture is gone so often. */
export const SWEEP_MS = 60_000;
/** And no more often than this, however many Captures are deleted. */
export const SWEEP_SETTLE_MS = 500;
/** Captures of which it is remembered that they were deleted, until their recordings are removed. */
export const DELETED_REMEMBERED = 10_000;

/** A presigned URL is valid for so long, seconds. */
export const UPLOAD_URL_S = 900;
export const FETCH_URL_S = 300;

/** Whoever asks for files gets new tickets for so long; then they ask again. */
export const FETCH_MS = 30 * 60_000;

/** Files in a status, and tickets in the answer to whoever fetches. */
export const FILES_NAMED = 1_000;
export const FETCH_NODES = 500;

/** Agents of other nodes that whoever fetches from a claim may ask, and agents that remove what no agent knows any more. */
export const CLAIM_READERS = 3;

/** A file that could not be sent is sent again after this. */
export const UPLOAD_AGAIN_MS = 30_000;
