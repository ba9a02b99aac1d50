import { type Command, Option } from 'commander';
import { AGENTLESS_MODES, PUBLIC_IMAGE } from '../../capture/agentless/preference.ts';
import { TRANSPORTS } from '../../capture/agents/transport-preference.ts';
import { TARGETS_MAXIMUM } from '../../capture/limits.ts';
import {
  RESUME_WINDOW_MAXIMUM_MS,
  RESUME_WINDOW_MINIMUM_MS,
  RESUME_WINDOW_MS,
  SNAPLEN_DEFAULT,
} from '../../wire/limits.ts';
import { COMPRESSIONS } from '../../wire/session-frame.ts';

const [LEAST_S, MOST_MIN] = [RESUME_WINDOW_MINIMUM_MS / 1000, RESUME_WINDOW_MAXIMUM_MS / 60_000];
const RESUME_WINDOW = `${LEAST_S}s to ${MOST_MIN}m (default: ${RESUME_WINDOW_MS / 1000}s)`;

/** Flags of every command that captures, by what they are about: which targets. */
export function addTargetFlags(command: Command): Command {
  return command
    .option('-n, --namespace <NAMESPACES>', "namespaces of the targets, comma-separated (default: the context's)")
    .option('-A, --all-namespaces', 'targets of all namespaces')
    .option('-l, --selector <LABELS>', 'objects with these labels; pods when no kind is named')
    .option('--field-selector <FIELDS>', 'objects with these fields, such as status.phase=Running')
    .option('--node <NODES>', 'only pods on these nodes')
    .option('--backends-only', 'of an ingress, gateway or route: only the pods behind it')
    .option('--controller-only', 'of an ingress, gateway or route: only the pods that serve it')
    .option('--cross-namespace', 'of a Service without selector: also endpoints in other namespaces')
    .option('--clients', 'also the pods that talk to the targets')
    .option('--no-follow', 'only the pods that exist now; pods that appear later do not join');
}

/** How many of them, and which of their packets. */
export function addPacketFlags(command: Command): Command {
  return command
    .option('--max-targets <N>', `how many targets are captured at once, at most (default: ${TARGETS_MAXIMUM})`)
    .option('-c, --container <NAME>', 'only the ports that this container declares')
    .option('--whole-node', "of pods on their node's network: all of its traffic, not only their ports")
    .option('-i, --interface <NAME>', 'interface in the network namespace of the target', 'any')
    .option('-f, --filter <BPF>', 'capture only packets that pass this pcap-filter(7) expression')
    .option('-s, --snaplen <BYTES>', `bytes kept of each packet (default: ${SNAPLEN_DEFAULT})`)
    .option('--headers-only', 'keep only the headers of each packet: enough for flows and TCP health');
}

/** How the agents and the cluster are reached. */
export function addTransportFlags(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--transport <WAY>',
        'how the agents are reached (default: auto, port-forward where it is allowed)',
      ).choices(TRANSPORTS),
    )
    .option(
      '--as-tenant',
      'capture by a Capture object, without permissions for the agents (default: where they are denied)',
    )
    .option('--resume-window <TIME>', `how long an agent keeps a broken stream: ${RESUME_WINDOW}`)
    .addOption(
      new Option(
        '--compress <WHEN>',
        'compress the streams of the agents with zstd (default: auto, when it helps)',
      ).choices(COMPRESSIONS),
    )
    .addOption(
      new Option(
        '--agentless [HOW]',
        'capture without installed agents: tcpdump of the pod, an ephemeral container, an uploaded tcpdump, or a Job on the node (default: auto, the first of these that works, but never a Job)',
      )
        .choices(AGENTLESS_MODES)
        .preset('auto'),
    )
    .option('--agentless-image <IMAGE>', `of the ephemeral container: has tcpdump and sh (default: ${PUBLIC_IMAGE})`)
    .option('--agentless-program <FILE>', 'a statically linked tcpdump that is uploaded')
    .option('--agent-image <IMAGE>', "of --agentless=node: the agents' image (default: the one that the node has)")
    .option('--local', 'capture on this machine, without Kubernetes')
    .addOption(new Option('--context <NAMES>', 'context of the kubeconfig; several clusters: a,b or prod-*'))
    .addOption(new Option('--kubeconfig <FILE>', 'kubeconfig to use'));
}

/** Which records are shown. */
export const WHERE_FLAG = [
  '--where <EXPR>',
  'show only what matches: http.status >= 500 && dst.service == "web"',
] as const;

export const FORMAT_FLAG = ['--format <FORMAT>', 'of -o map: tree (default), dot, mermaid, json'] as const;

export const REPORT_FLAG = ['--report <FILE>', 'also write the report of -o html to FILE'] as const;

export const EDGE_FLAG = [
  '--edge',
  'analyse the packets on their nodes: only what is found comes here, not the packets',
] as const;

export const NO_EDGE_FLAG = [
  '--no-edge',
  'bring the packets here also from 16 nodes or 10 MB/s on, where summary, findings, map and csv (flows: by nodes only) use --edge',
] as const;

export const CLOCK_FLAG = ['--correct-clock-skew', "convert the nodes' times to this machine's clock"] as const;

export const KEYLOG_FLAG = [
  '--keylog <FILE>',
  'secrets of TLS connections, as programs write them (SSLKEYLOGFILE), to decrypt them; live also exec:CONTAINER:PATH, a file in each pod',
] as const;
export const SECRETS_FLAG = ['--show-secrets', 'show what is masked: passwords, cookies, Authorization'] as const;

export const UTC_FLAG = ['--utc', 'show times in UTC, not in local time'] as const;

export const FAIL_ON_FLAG = [
  '--fail-on <CODE>',
  'exit code 6 if a finding has this code (such as DNS_NAME_MISSING) or at least this severity: information, warning, error',
] as const;
