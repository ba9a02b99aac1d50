/** Bounds of the conversation with the API server. Sizes are bytes, times milliseconds. */

/** Until a connection stands: name lookup, TCP, a proxy's CONNECT and TLS together. */
export const CONNECT_TIMEOUT_MS = 10_000;

/** Until the server starts to answer, and the longest silence within an answer. */
export const RESPONSE_TIMEOUT_MS = 30_000;

/** Until a websocket's upgrade is answered: the API server contacts the kubelet first. */
export const HANDSHAKE_TIMEOUT_MS = 30_000;

/** One JSON answer. 5,000 pods in a list are some 50 MB. */
export const BODY_MAXIMUM = 256 * 1024 * 1024;

/** The body of a refusal: a Status is a few hundred bytes, a proxy's HTML page a few thousand. */
export const REFUSAL_MAXIMUM = 64 * 1024;

/** Load balancers cut idle connections after 60 s and more; something is sent at least this often. */
export const PING_INTERVAL_MS = 20_000;

/** A message of the status channel. */
export const STATUS_MAXIMUM = 64 * 1024;

/** One websocket message. The API server writes at most some 32 KiB at once. */
export const MESSAGE_MAXIMUM = 16 * 1024 * 1024;

/** How long a websocket's closing handshake may take before its socket is destroyed. */
export const CLOSE_TIMEOUT_MS = 2_000;

/** A credential plugin may ask a person to log in with a browser, so it gets minutes. */
export const PLUGIN_TIMEOUT_MS = 300_000;

/** Of a credential plugin's output; a token or a certificate is a few KiB. */
export const PLUGIN_OUTPUT_MAXIMUM = 1024 * 1024;

/** Credentials without an expiry time (token files) are read again after this long, as client-go does. */
export const CREDENTIALS_REREAD_MS = 60_000;

/** Credentials are renewed this long before they expire. */
export const EXPIRY_MARGIN_MS = 10_000;

/** One watch request, seconds: the server ends it by then, so that a dead connection is noticed a little later. */
export const WATCH_SECONDS = 60;

/** How long after WATCH_SECONDS the server's end of a watch is waited for. */
export const WATCH_GRACE_MS = 10_000;

/** One event of a watch: an object is at most 1.5 MiB in etcd, more in JSON. */
export const WATCH_EVENT_MAXIMUM = 16 * 1024 * 1024;

/** Waits between attempts to take up a broken watch: doubled from the first to the last. */
export const WATCH_BACKOFF_FIRST_MS = 100;
export const WATCH_BACKOFF_LAST_MS = 10_000;

/** Objects per page of a list. */
export const LIST_PAGE = 500;

/** A node's error message about a port-forward that failed. */
export const ERROR_MAXIMUM = 4 * 1024;

/** Bytes read of a file that is followed in a container, over one connection. */
export const FOLLOWED_FILE_BYTES = 64 * 1024 * 1024;
