/** The exit codes every ksnoop command ends with (see README, "Exit codes"). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  noTarget: 3,
  partial: 4,
  truncated: 5,
  /** `--fail-on`: what was asked about was found. */
  found: 6,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface ErrorEntry {
  /** What happened, for docs/errors.md: one sentence. */
  readonly meaning: string;
  /** The code the process ends with because of it. */
  readonly exit: ExitCode;
}

/**
 * Every error a user can meet, by its stable code: the only place where codes are defined. docs/errors.md is written from
 * it (scripts/error-docs.ts). Sorted by name.
 */
export const ERROR_CODES = {
  AGENTLESS_REFUSED: {
    exit: EXIT.failed,
    meaning: 'The pod, or the policy of its namespace, does not allow this way to capture without installed agents.',
  },
  AGENTS_NOT_READY: { exit: EXIT.failed, meaning: 'The agents did not become ready within --timeout after install.' },
  AGENT_ENDED: { exit: EXIT.failed, meaning: 'The agent process ended before the end of its stream.' },
  AGENT_ERROR: { exit: EXIT.failed, meaning: 'A newer agent reported an error whose code this ksnoop does not know.' },
  AGENT_IMAGE_UNKNOWN: {
    exit: EXIT.usage,
    meaning: 'No image of the agent is named, and none is known to be on the node.',
  },
  AGENT_KILLED: { exit: EXIT.failed, meaning: 'The local agent process was ended by a signal.' },
  AGENT_NOT_INSTALLED: { exit: EXIT.failed, meaning: 'The cluster has no ksnoop agents.' },
  AGENT_NOT_READY: { exit: EXIT.failed, meaning: 'The agent pod on the node is not ready.' },
  AGENT_NOT_STARTED: { exit: EXIT.failed, meaning: 'The local agent (--local) could not be started.' },
  AGENT_SILENT: { exit: EXIT.failed, meaning: 'The agent has sent nothing for longer than three heartbeats.' },
  AGENT_TOO_OLD: { exit: EXIT.failed, meaning: 'The agent does not support what was asked for.' },
  ANSWER_TOO_LARGE: { exit: EXIT.failed, meaning: 'A response of the API server exceeds the size limit.' },
  API_ERROR: { exit: EXIT.failed, meaning: 'The API server answered with an unexpected status.' },
  BAD_CONFIG: { exit: EXIT.usage, meaning: 'The configuration file or a KSNOOP_ variable is not valid.' },
  BAD_DESTINATION: {
    exit: EXIT.failed,
    meaning: 'A destination of recordings that the administrator defined cannot be used by the agents.',
  },
  BAD_DOCKER_CONFIG: { exit: EXIT.failed, meaning: "docker's configuration or a credential helper cannot be used." },
  BAD_FILTER: { exit: EXIT.usage, meaning: 'The capture filter does not compile, or is too large to compile.' },
  BAD_IMAGE_ARCHIVE: { exit: EXIT.usage, meaning: 'A file is no image archive that can be pushed.' },
  BAD_IMAGE_NAME: { exit: EXIT.usage, meaning: 'The name of an image is not valid.' },
  BAD_KUBECONFIG: { exit: EXIT.usage, meaning: 'The kubeconfig, or a file that it names, cannot be used.' },
  BAD_MANIFEST: { exit: EXIT.failed, meaning: 'A manifest of the agents cannot be read or applied.' },
  BAD_REQUEST: { exit: EXIT.failed, meaning: 'The API server rejected a request as invalid.' },
  BAD_STREAM: { exit: EXIT.failed, meaning: 'The packet stream could not be processed.' },
  BAD_TARGET: {
    exit: EXIT.usage,
    meaning: 'A target is not in a form that ksnoop supports, or its kind does not exist.',
  },
  BAD_TRIGGER: { exit: EXIT.usage, meaning: "A recording's trigger cannot be evaluated on the node." },
  CANNOT_LISTEN: {
    exit: EXIT.usage,
    meaning: 'The address or port on which ksnoop is to listen is not free, or not of this machine.',
  },
  CANNOT_READ: { exit: EXIT.failed, meaning: 'The input cannot be read.' },
  CANNOT_WRITE: { exit: EXIT.failed, meaning: 'A file, pipe or directory cannot be written.' },
  CAPTURE_FAILED: { exit: EXIT.failed, meaning: 'The capture failed on the node for an unforeseen reason.' },
  CAPTURE_REFUSED: {
    exit: EXIT.failed,
    meaning: 'The policy of the cluster or the controller does not admit a capture of a tenant.',
  },
  CERTIFICATE_EXPIRED: { exit: EXIT.failed, meaning: "The API server's certificate has expired or is not valid yet." },
  CERTIFICATE_NAME: { exit: EXIT.failed, meaning: "The API server's certificate is for another name." },
  CERTIFICATE_UNKNOWN: {
    exit: EXIT.failed,
    meaning: "The API server's certificate was not issued by the authority in the kubeconfig.",
  },
  CONFLICT: { exit: EXIT.failed, meaning: 'The object was changed by someone else at the same time.' },
  CONTEXT_NOT_FOUND: { exit: EXIT.usage, meaning: 'The kubeconfig has no such context, or no current context.' },
  CONTROLLER_SILENT: {
    exit: EXIT.failed,
    meaning: 'The controller, which admits captures of tenants, has not answered in time.',
  },
  CREDENTIAL_PLUGIN_FAILED: { exit: EXIT.failed, meaning: "The kubeconfig's credential plugin gave no credentials." },
  CREDENTIAL_PLUGIN_MISSING: { exit: EXIT.failed, meaning: "The kubeconfig's credential plugin is not installed." },
  DAMAGED_PCAP: { exit: EXIT.failed, meaning: 'The pcap data is damaged; the message names the byte.' },
  DAMAGED_PCAPNG: { exit: EXIT.failed, meaning: 'The pcapng data is damaged; the message names the byte.' },
  DAMAGED_STATE: {
    exit: EXIT.failed,
    meaning: 'A saved summary is damaged, or of another version; the message says where.',
  },
  EDGE_FAILED: {
    exit: EXIT.failed,
    meaning: 'The analysis of a session on its node (--edge) failed, or its agent comes without it.',
  },
  EXEC_FAILED: { exit: EXIT.failed, meaning: 'Kubernetes could not run the agent in its pod.' },
  EXTERNAL_NAME: { exit: EXIT.noTarget, meaning: 'The Service is of type ExternalName and has no pods.' },
  FILE_EXISTS: { exit: EXIT.usage, meaning: 'The file already exists and is not overwritten without --force.' },
  FILE_OF_ANOTHER_USER: {
    exit: EXIT.usage,
    meaning: 'The FIFO, file or symbolic link belongs to another user and is not written to without --force.',
  },
  FORBIDDEN: { exit: EXIT.failed, meaning: 'RBAC does not allow the request; the hint names the missing rule.' },
  GONE: { exit: EXIT.failed, meaning: 'The API server no longer has the resource version asked for.' },
  IMAGE_BUILD_FAILED: { exit: EXIT.failed, meaning: "The agents' image was not built." },
  IMAGE_NEEDS_DEBIAN: { exit: EXIT.failed, meaning: 'Building the image without docker needs a Debian machine.' },
  IMAGE_NEEDS_SOURCES: { exit: EXIT.usage, meaning: "The agents' image is built in the repository of ksnoop only." },
  IMAGE_NOT_PINNED: {
    exit: EXIT.failed,
    meaning: 'The Debian packages that the image is built from have other digests, or are not to be had any more.',
  },
  IMAGE_REQUIRED: { exit: EXIT.usage, meaning: 'install needs the image of the agents (--image).' },
  INSTALLED_OTHERWISE: {
    exit: EXIT.failed,
    meaning: 'The agents were installed by Helm or kubectl: ksnoop does not remove them.',
  },
  INTERRUPTED: { exit: EXIT.failed, meaning: 'The command was interrupted before it had a result.' },
  INVALID_MESSAGE: { exit: EXIT.failed, meaning: 'Client, agent or API server sent a message that is not valid.' },
  LINE_TOO_LONG: { exit: EXIT.failed, meaning: 'A control message exceeds the size limit.' },
  MANIFESTS_MISSING: { exit: EXIT.failed, meaning: "This ksnoop was installed without the agents' manifests." },
  NOTHING_CAPTURED: { exit: EXIT.failed, meaning: 'None of the targets on the node could be captured.' },
  NOTHING_KEPT: { exit: EXIT.failed, meaning: 'top has no packets to write yet.' },
  NOT_ALLOWED: { exit: EXIT.failed, meaning: 'The agent may not open this network namespace.' },
  NOT_BUILT: { exit: EXIT.failed, meaning: 'ksnoop runs in its repository, and dist/ was not built.' },
  NOT_FOUND: { exit: EXIT.failed, meaning: 'The API server does not have the object.' },
  NO_AGENT_AT_PORT: {
    exit: EXIT.failed,
    meaning: "The process that answers at the agent's port is not a ksnoop agent.",
  },
  NO_AGENT_ON_NODE: { exit: EXIT.failed, meaning: 'The node of the target has no agent.' },
  NO_CAPTURE: { exit: EXIT.failed, meaning: 'The input is not a pcap or pcapng file.' },
  NO_CAPTURES: { exit: EXIT.failed, meaning: 'The cluster is not set up for captures of tenants.' },
  NO_CONTAINER_PORTS: { exit: EXIT.usage, meaning: 'The container declares no ports by which to filter.' },
  NO_DECOMPRESSOR: { exit: EXIT.usage, meaning: 'The program that decompresses the capture is not installed.' },
  NO_FILE: { exit: EXIT.usage, meaning: 'The file does not exist.' },
  NO_INTERFACE: { exit: EXIT.failed, meaning: "The pod's network namespace has no interface but lo." },
  NO_KEYS: { exit: EXIT.usage, meaning: 'The file named by --keylog holds no secrets of TLS connections.' },
  NO_KUBECONFIG: { exit: EXIT.usage, meaning: 'There is no kubeconfig, or the one named cannot be read.' },
  NO_MEMORY: { exit: EXIT.failed, meaning: "The agent's container has too little memory left for another capture." },
  NO_PIPE: { exit: EXIT.failed, meaning: 'The agent could not create a pipe.' },
  NO_PODS: { exit: EXIT.noTarget, meaning: 'The target exists and has no pods that can be captured.' },
  NO_SUCH_CONTAINER: { exit: EXIT.usage, meaning: 'The pod has no container of this name.' },
  NO_SUCH_NAMESPACE: { exit: EXIT.noTarget, meaning: 'There is no such network namespace on the machine.' },
  NO_SUCH_POD: {
    exit: EXIT.noTarget,
    meaning: 'The pod has never run on this machine (--local), or the capture does not name it (diff --by pod).',
  },
  NO_SUCH_PROCESS: { exit: EXIT.noTarget, meaning: 'There is no such process on the machine.' },
  NO_SUCH_RECORDING: { exit: EXIT.noTarget, meaning: 'The node has no such recording, or no such piece of it.' },
  NO_SUCH_TARGET: { exit: EXIT.noTarget, meaning: 'The object does not exist in the cluster.' },
  NO_TCPDUMP: { exit: EXIT.usage, meaning: 'tcpdump, which compiles filters, is not installed or cannot be run.' },
  NO_TERMINAL: { exit: EXIT.failed, meaning: 'The dashboard needs a terminal to read keys from.' },
  NO_WIRESHARK: { exit: EXIT.failed, meaning: 'Wireshark could not be started.' },
  OIDC_FAILED: { exit: EXIT.failed, meaning: 'The identity provider gave no new token.' },
  OTLP_FAILED: { exit: EXIT.failed, meaning: 'The receiver of OpenTelemetry data took nothing.' },
  POD_COMPLETED: { exit: EXIT.noTarget, meaning: 'The pod has completed or failed: it has no network any more.' },
  POD_HAS_NO_PROCESS: { exit: EXIT.failed, meaning: 'The pod has no running process on its node.' },
  POD_PENDING: { exit: EXIT.noTarget, meaning: 'The pod is not scheduled, or none of its containers exists yet.' },
  POD_WITHOUT_TCPDUMP: { exit: EXIT.failed, meaning: 'No container of the pod has tcpdump and a shell.' },
  PORT_FORWARD_FAILED: { exit: EXIT.failed, meaning: 'The port-forward to the agent failed.' },
  PROBE_NOT_STARTED: { exit: EXIT.failed, meaning: 'An ephemeral container for a capture did not start.' },
  PROTOCOL_MISMATCH: { exit: EXIT.failed, meaning: 'Client and agent are more than one minor version apart.' },
  RECORDINGS_FULL: {
    exit: EXIT.failed,
    meaning: "The node's disk for recordings has no room for another one, or the node runs as many as it may.",
  },
  REGISTRY_REFUSED: { exit: EXIT.failed, meaning: 'A registry of images did not accept a push or a login.' },
  REGISTRY_UNREACHABLE: { exit: EXIT.failed, meaning: 'A registry of images cannot be reached.' },
  SAME_FILE: { exit: EXIT.usage, meaning: 'The output file is the capture that is read.' },
  SESSION_EXISTS: { exit: EXIT.failed, meaning: 'The agent already has a session of this id.' },
  SESSION_FAILED: { exit: EXIT.failed, meaning: 'The session with the agent failed for an unforeseen reason.' },
  SESSION_GONE: { exit: EXIT.failed, meaning: 'The agent has ended the session that was to be resumed.' },
  SESSION_LOST: { exit: EXIT.failed, meaning: 'The agent ended the session by itself.' },
  STILL_THERE: { exit: EXIT.failed, meaning: 'Objects or processes that were to be removed still exist.' },
  STREAM_LOST: { exit: EXIT.failed, meaning: 'The connection to the agent broke.' },
  TCPDUMP_ENDED: { exit: EXIT.failed, meaning: 'tcpdump ended during the capture.' },
  TCPDUMP_NOT_STARTED: { exit: EXIT.failed, meaning: 'tcpdump could not be run on the node.' },
  TCPDUMP_SILENT: { exit: EXIT.failed, meaning: 'tcpdump did not start to capture in time.' },
  TICKET_EXPIRED: {
    exit: EXIT.failed,
    meaning: 'The permission to capture was withdrawn, or the tickets of the capture were not renewed.',
  },
  TICKET_REFUSED: {
    exit: EXIT.failed,
    meaning: 'The agent does not accept a ticket, or was asked for what the ticket does not allow.',
  },
  TICKET_REQUIRED: {
    exit: EXIT.failed,
    meaning: 'The agents accept port-forward with a ticket only, because tenants share the cluster.',
  },
  TIMEOUT: { exit: EXIT.failed, meaning: 'The API server did not answer in time.' },
  TLS_FAILED: { exit: EXIT.failed, meaning: 'The TLS handshake with the API server failed.' },
  TOO_MANY_FILES: { exit: EXIT.usage, meaning: 'More files are named than may be read as one capture.' },
  TOO_MANY_INTERFACES: { exit: EXIT.failed, meaning: 'The capture has more interfaces than the limit.' },
  TOO_MANY_REQUESTS: { exit: EXIT.failed, meaning: 'The API server is overloaded.' },
  TOO_MANY_SESSIONS: { exit: EXIT.failed, meaning: 'The agent already runs as many captures as it may.' },
  TOO_MANY_TARGETS: { exit: EXIT.usage, meaning: 'More targets were found than may be captured at once.' },
  TRUNCATED: { exit: EXIT.truncated, meaning: 'The capture file ends early; what came before was read.' },
  UNAUTHORIZED: { exit: EXIT.failed, meaning: 'The API server does not accept the credentials.' },
  UNKNOWN_COMMAND: { exit: EXIT.usage, meaning: 'There is no such command.' },
  UNKNOWN_INTERFACE: { exit: EXIT.usage, meaning: 'The target has no such interface, or it is down.' },
  UNREACHABLE: { exit: EXIT.failed, meaning: 'The API server cannot be reached.' },
  UPLOAD_NEEDS_PROGRAM: {
    exit: EXIT.usage,
    meaning: 'No tcpdump to upload into the pod is named, or the file is not a statically linked program.',
  },
  USAGE: { exit: EXIT.usage, meaning: 'The command line is not valid.' },
  WIRESHARK_FAILED: { exit: EXIT.failed, meaning: 'Wireshark, started by --wireshark, ended with a failure.' },
} as const satisfies Readonly<Record<string, ErrorEntry>>;

/** A stable error code. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Whether a text from outside, such as an agent's message, is a code that is known here. */
export function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(ERROR_CODES, text);
}

/**
 * An error a person is meant to read. `code` is stable (scripts may match it), the message is one sentence that says what
 * happened to what, `hint` one that says what to do next, `exit` the code the process ends with because of it (the registry's, unless the
 * thrower gives another).
 */
export class KsnoopError extends Error {
  override readonly name = 'KsnoopError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly exit: ExitCode;

  constructor(
    code: ErrorCode,
    message: string,
    options: { hint?: string | undefined; exit?: ExitCode | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.exit = options.exit ?? ERROR_CODES[code].exit;
  }
}

/** Whatever was thrown, as one line of words. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}

/** The `code` of a Node system error such as `EPIPE` or `ENOENT`; undefined for anything else. */
export function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}
