// Attempts to capture more than a ticket allows, against an agent that takes tickets only.
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { vi } from 'vitest';
import { SessionKey } from '../../src/capture/agents/session-key.ts';
import { signTicket } from '../../src/ticket/sign.ts';
import type { AgentTarget, PodAgentTarget } from '../../src/wire/agent-target.ts';
import { type SessionAddress, sessionPath } from '../../src/wire/session-frame.ts';
import { TICKET_HEADER, TICKET_LIFE_MS, type Ticket } from '../../src/wire/ticket.ts';
import { HANG_MS } from '../support/hang.ts';
import { Random } from '../support/random.ts';
import { madeTicket, signingKey } from '../ticket/made-ticket.ts';
import { captureRequest } from './agent-process.ts';
import { HostedAgent, type HostedSession } from './hosted-agent.ts';

const NODE = 'worker-1';
const FILTER = 'tcp port 80';
const SNAPLEN = 262_144;

/** Attempts of one session: it is opened anew after so many. */
const ADDS = 50;

/** What came of all attempts. */
export interface Attacked {
  readonly attempts: number;
  /** Attempts by their kind. */
  readonly kinds: Readonly<Record<string, number>>;
  /** Those that were not refused, a sentence each. */
  readonly accepted: readonly string[];
}

/** An agent that takes tickets, and the key of its controller. */
export class TicketedAgent {
  readonly uid = randomUUID();
  readonly #key = signingKey();
  readonly #directory = mkdtempSync(join(tmpdir(), 'ksnoop-tickets-'));
  readonly agent: HostedAgent;

  constructor() {
    writeFileSync(join(this.#directory, 'public.pem'), this.#key.pem);
    this.agent = new HostedAgent({ KSNOOP_TICKETS: this.#directory, POD_UID: this.uid, NODE_NAME: NODE });
  }

  ticket(changes: Partial<Ticket> = {}, key = this.#key): string {
    // As long as a ticket may be: it must not expire on a slow machine.
    const iat = changes.iat ?? Date.now();
    const own = { node: NODE, agent: this.uid, filter: FILTER, snaplen: SNAPLEN, iat, exp: iat + TICKET_LIFE_MS };
    const ticket = madeTicket({ ...own, ...changes });
    return signTicket(ticket, key.privateKey).toString('base64url');
  }

  close(): void {
    this.agent.kill();
    rmSync(this.#directory, { recursive: true });
  }
}

/** @param count attempts; a third of them each at opening a session, at its request, and while it runs */
export async function attack(agent: TicketedAgent, count: number, seed: number): Promise<Attacked> {
  const random = new Random(seed);
  const kinds: Record<string, number> = {};
  const accepted: string[] = [];
  const counted = (kind: string) => {
    kinds[kind] = (kinds[kind] ?? 0) + 1;
  };
  // The first ticket of the agent's life is one that it takes: the attempts fail for their own reasons.
  const pod = randomUUID();
  const port = await agent.agent.port;
  const used = agent.ticket({ pods: [pod] });
  const victim = address();
  const taken = await opened(port, victim, used);
  if (!taken.startsWith('HTTP/1.1 101 ')) throw new Error(`a valid ticket is refused: ${taken}`);
  const third = Math.ceil(count / 3);
  for (let index = 0; index < third; index += 1) {
    const [kind, address, ticket] = at(OPENINGS, index)({ agent, used, victim: victim.id, random });
    counted(kind);
    const status = await opened(port, address, ticket);
    if (!/^HTTP\/1\.1 4\d\d /.test(status)) accepted.push(`${kind}: ${status.slice(0, 40)}`);
  }
  for (let index = 0; index < third; index += 1) {
    const [kind, changes] = at(REQUESTS, index);
    counted(kind);
    const session = await agent.agent.session(agent.ticket({ pods: [pod] }));
    session.say({ ...captureRequest([target(pod)], { filter: FILTER, snaplen: SNAPLEN }), ...changes(pod) });
    await ended(session);
    const [event] = session.events.filter(({ type }) => type !== 'hello');
    if (event?.type !== 'failed' || event.code !== 'TICKET_REFUSED') accepted.push(`${kind}: ${JSON.stringify(event)}`);
    session.transport?.terminate();
  }
  for (let left = third; left > 0; left -= ADDS) {
    const capture = randomUUID();
    const session = await agent.agent.session(agent.ticket({ capture, pods: [pod] }));
    await waiting(session, pod);
    const made = Array.from({ length: Math.min(left, ADDS) }, (_, index) => {
      const [kind, lines] = at(ADDITIONS, left + index);
      counted(kind);
      const key = randomUUID();
      for (const line of lines(agent, { capture, pod, key })) session.say(line);
      return { kind, key };
    });
    session.say({ type: 'clock', sentAt: left });
    await vi.waitUntil(() => session.has('clock') || session.has('failed'), { timeout: HANG_MS, interval: 5 });
    for (const { kind, key } of made) {
      const events = session.events.filter((event) => 'target' in event && event.target === key);
      const isRefused =
        events.length === 1 && events[0]?.type === 'target-failed' && events[0].code === 'TICKET_REFUSED';
      if (!isRefused) accepted.push(`${kind}: ${JSON.stringify(events)}`);
    }
    if (session.has('failed')) accepted.push(`the session failed: ${JSON.stringify(session.events.at(-1))}`);
    session.transport?.terminate();
  }
  return { attempts: Object.values(kinds).reduce((sum, each) => sum + each, 0), kinds, accepted };
}

function at<T>(list: readonly T[], index: number): T {
  return list[index % list.length] as T;
}

type Opening = readonly [kind: string, address: SessionAddress, ticket: string | undefined];

const address = (key: string | undefined = new SessionKey().public): SessionAddress => ({
  id: randomBytes(16).toString('hex'),
  windowMs: 10_000,
  compress: 'off',
  isNew: true,
  key,
});

interface Opened {
  readonly agent: TicketedAgent;
  /** A ticket that was used. */
  readonly used: string;
  /** The id of a session that is open. */
  readonly victim: string;
  readonly random: Random;
}

const OPENINGS: readonly ((opened: Opened) => Opening)[] = [
  ({ agent }) => ['forged', address(), agent.ticket({}, signingKey())],
  ({ agent, random }) => ['a changed bit', address(), changedBit(agent.ticket(), random)],
  ({ agent, random }) => ['a changed character', address(), changedCharacter(agent.ticket(), random)],
  ({ agent, random }) => ['a part', address(), agent.ticket().slice(0, random.below(300))],
  ({ agent }) => ['two tickets', address(), agent.ticket() + agent.ticket()],
  ({ used }) => ['replayed', address(), used],
  ({ agent }) => ['expired', address(), agent.ticket({ iat: Date.now() - 50_000, exp: Date.now() - 1 })],
  ({ agent }) => ['of the future', address(), agent.ticket({ iat: Date.now() + 30_000 })],
  ({ agent }) => ['of another node', address(), agent.ticket({ node: 'worker-2' })],
  ({ agent }) => ['of another agent', address(), agent.ticket({ agent: randomUUID() })],
  () => ['without a ticket', address(), undefined],
  ({ agent }) => ['without a key', { ...address(), isNew: true, key: undefined }, agent.ticket()],
  ({ agent, victim }) => ["another's session", { ...RESUMED, id: victim, proof: 'ab'.repeat(64) }, agent.ticket()],
  ({ agent, victim }) => [
    "another's session without a signature",
    { ...RESUMED, id: victim, proof: undefined },
    agent.ticket(),
  ],
];

const RESUMED = { windowMs: 10_000, compress: 'off', isNew: false, attempt: 1 } as const;

const target = (uid: string, changes: Partial<PodAgentTarget> = {}): PodAgentTarget => ({
  kind: 'pod',
  key: uid,
  namespace: 'shop',
  pod: 'web-1',
  uid,
  containers: [],
  hostNetwork: false,
  wait: true,
  ...changes,
});

const HOST: AgentTarget = { key: 'n', kind: 'host' };

const REQUESTS: readonly (readonly [kind: string, changes: (pod: string) => object])[] = [
  ['no filter', () => ({ filter: undefined })],
  ['a wider filter', () => ({ filter: `${FILTER} or port 443` })],
  ['a filter that ends early', () => ({ filter: `${FILTER}) or (tcp` })],
  ['an option of tcpdump', () => ({ filter: '-z reboot' })],
  ['a larger snaplen', () => ({ snaplen: SNAPLEN - 1 })],
  ["another tenant's pod", () => ({ targets: [target(randomUUID())] })],
  ["also another tenant's pod", (pod) => ({ targets: [target(pod), target(randomUUID())] })],
  ['the node', () => ({ targets: [HOST] })],
  ['hostNetwork', (pod) => ({ targets: [target(pod, { hostNetwork: true })] })],
  ['a process', () => ({ targets: [{ key: 'p', kind: 'pid', pid: 1 }] })],
  ['a network namespace', () => ({ targets: [{ key: 'p', kind: 'netns', name: '/proc/1/ns/net' }] })],
  ['a filter of the target', (pod) => ({ targets: [target(pod, { filter: 'tcp) or (udp' })] })],
  ['a static pod by its hash', () => ({ targets: [target('0123456789abcdef0123456789abcdef')] })],
  ['the containers of another pod', () => ({ targets: [target(randomUUID(), { containers: [FOREIGN] })] })],
];

const FOREIGN = { name: 'web', id: 'f'.repeat(64) };

interface Addition {
  readonly capture: string;
  readonly pod: string;
  readonly key: string;
}

/** Each ends with an `add` of the key, which must be refused. */
const ADDITIONS: readonly (readonly [kind: string, lines: (agent: TicketedAgent, addition: Addition) => object[]])[] = [
  ['an added pod', (_, { key }) => [added(target(randomUUID(), { key }))]],
  ['an added pod under the name of an allowed one', (_, { key }) => [added(target(key, { key }))]],
  ['an added node', (_, { key }) => [added({ key, kind: 'host' })]],
  ['an added hostNetwork', (_, { key, pod }) => [added(target(pod, { key, hostNetwork: true }))]],
  ['an added filter', (_, { key, pod }) => [added(target(pod, { key, filter: 'port 1) or (tcp' }))]],
  ['a renewal of another Capture', (agent, { key }) => renewed(agent.ticket({ pods: [key] }), key)],
  [
    'a renewal of another user',
    (agent, { key, capture }) => renewed(agent.ticket({ capture, sub: 'bob', pods: [key] }), key),
  ],
  [
    'a renewal with another filter',
    (agent, { key, capture }) => renewed(agent.ticket({ capture, filter: '', pods: [key] }), key),
  ],
  ['a forged renewal', (agent, { key, capture }) => renewed(agent.ticket({ capture, pods: [key] }, signingKey()), key)],
  [
    'a renewal for another node',
    (agent, { key, capture }) => renewed(agent.ticket({ capture, node: 'worker-2', pods: [key] }), key),
  ],
  [
    'a renewal for another agent',
    (agent, { key, capture }) => renewed(agent.ticket({ capture, agent: randomUUID(), pods: [key] }), key),
  ],
  [
    'an expired renewal',
    (agent, { key, capture }) =>
      renewed(agent.ticket({ capture, pods: [key], iat: Date.now() - 50_000, exp: Date.now() - 1 }), key),
  ],
];

const added = (each: AgentTarget) => ({ type: 'add', target: each });

function renewed(ticket: string, uid: string): object[] {
  return [{ type: 'ticket', ticket }, added(target(uid))];
}

/** A session that captures nothing yet, for its pod does not exist: no tcpdump is needed. */
async function waiting(session: HostedSession, pod: string): Promise<void> {
  session.say(captureRequest([target(pod)], { filter: FILTER, snaplen: SNAPLEN, follow: true }));
  await session.until('target-waiting');
}

/** Until an agent has refused or carried out a request. */
async function ended(session: HostedSession): Promise<void> {
  await vi.waitUntil(() => session.events.some(({ type }) => type !== 'hello' && type !== 'log'), {
    timeout: HANG_MS,
    interval: 5,
  });
}

/** The first bytes of the agent's response to a request for a session. */
function opened(port: number, to: SessionAddress, ticket: string | undefined): Promise<string> {
  const lines = [
    `GET ${sessionPath(to)} HTTP/1.1`,
    'Host: ksnoop-agent',
    'Connection: Upgrade',
    'Upgrade: websocket',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${randomBytes(16).toString('base64')}`,
    'Sec-WebSocket-Protocol: ksnoop.v1',
    ...(ticket === undefined ? [] : [`${TICKET_HEADER}: ${ticket}`]),
  ];
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`${lines.join('\r\n')}\r\n\r\n`));
    socket.once('data', (chunk) => {
      resolve(chunk.toString('latin1'));
      socket.destroy();
    });
    socket.once('error', (error) => resolve(error.message));
    socket.once('close', () => resolve('closed'));
  });
}

function changedBit(ticket: string, random: Random): string {
  const bytes = Buffer.from(ticket, 'base64url');
  const index = random.below(bytes.length);
  bytes[index] = (bytes[index] ?? 0) ^ (1 << random.below(8));
  return bytes.toString('base64url');
}

function changedCharacter(ticket: string, random: Random): string {
  const index = random.below(ticket.length);
  const other = ticket[index] === 'A' ? 'B' : 'A';
  return `${ticket.slice(0, index)}${other}${ticket.slice(index + 1)}`;
}
