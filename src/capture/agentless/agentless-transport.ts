import { type AgentEvent, type CaptureRequest, parseCaptureRequest, parseControl } from '../../wire/agent-protocol.ts';
import type { AgentTarget, PodAgentTarget } from '../../wire/agent-target.ts';
import { KsnoopError, messageOf } from '../../wire/errors.ts';
import { joinFilters } from '../../wire/join-filters.ts';
import { lineSplitter } from '../../wire/lines.ts';
import { endMarker, sectionHeader, startMarker } from '../../wire/pcapng-write.ts';
import { PROTOCOL_TEXT, VERSION } from '../../wire/version.ts';
import type { Kube } from '../kube/kube.ts';
import type { AgentTransport, OpenTransport, TransportEnd, TransportHandlers } from '../streams/transport.ts';
import { chooseContainer } from './choose-container.ts';
import { hintBesideOwnContainers, WITH_AGENTS } from './ephemeral.ts';
import { PodProbe } from './pod-probe.ts';
import type { AgentlessPreference } from './preference.ts';
import type { AfterCapture } from './script.ts';

/**
 * Captures without an agent: what an agent does on its node is done from here, by one tcpdump in every pod. It takes the same
 * requests and gives the same stream and events, so that nothing else knows the difference. It does not know the clocks of
 * nodes, and gives no state of network namespaces.
 */
export function agentless(kube: Kube, preference: AgentlessPreference): OpenTransport {
  return async (handlers, signal) => new AgentlessTransport(kube, preference, handlers, signal);
}

/** One target, from its request to its end. */
interface Running {
  readonly target: AgentTarget;
  probe: PodProbe | undefined;
  removed: boolean;
}

class AgentlessTransport implements AgentTransport {
  readonly name = 'exec into the pods';
  readonly ended: Promise<TransportEnd>;
  readonly #kube: Kube;
  readonly #preference: AgentlessPreference;
  readonly #handlers: TransportHandlers;
  readonly #abort = new AbortController();
  readonly #end = Promise.withResolvers<TransportEnd>();
  readonly #lines = lineSplitter((line) => this.#takeLine(line));
  readonly #running = new Map<string, Running>();
  #request: CaptureRequest | undefined;
  #interfaces = 0;
  #stopping = false;
  #finished = false;
  #paused = false;

  constructor(kube: Kube, preference: AgentlessPreference, handlers: TransportHandlers, signal: AbortSignal) {
    this.#kube = kube;
    this.#preference = preference;
    this.#handlers = handlers;
    this.ended = this.#end.promise;
    signal.addEventListener('abort', () => this.terminate(), { once: true });
  }

  write(text: string): void {
    this.#lines(Buffer.from(text));
  }

  pause(): void {
    this.#paused = true;
    for (const { probe } of this.#running.values()) probe?.pause();
  }

  resume(): void {
    this.#paused = false;
    for (const { probe } of this.#running.values()) probe?.resume();
  }

  terminate(): void {
    const error = new KsnoopError('STREAM_LOST', 'The capture was interrupted.');
    this.#abort.abort(error);
    for (const { probe } of this.#running.values()) probe?.terminate();
    this.#settle({ kind: 'lost', error });
  }

  #settle(end: TransportEnd): void {
    this.#finished = true;
    this.#end.resolve(end);
  }

  #takeLine(line: string): void {
    if (this.#request === undefined) {
      this.#request = parseCaptureRequest(line);
      this.#send({ type: 'hello', protocol: PROTOCOL_TEXT, version: VERSION, node: '' });
      for (const target of this.#request.targets) this.#begin(target);
      return;
    }
    const control = parseControl(line);
    switch (control?.type) {
      case 'heartbeat':
        this.#send({ type: 'alive' });
        return;
      case 'stop':
        this.#stop();
        return;
      case 'add':
        if (!this.#running.has(control.target.key)) this.#begin(control.target);
        return;
      case 'remove':
        this.#remove(control.key);
        return;
      case 'acknowledge':
        this.#settle({ kind: 'exited', code: 0 });
        return;
      default:
    }
  }

  #stop(): void {
    this.#stopping = true;
    for (const { probe } of this.#running.values()) probe?.stop();
    this.#finishIfEmpty('stopped');
  }

  #remove(key: string): void {
    const running = this.#running.get(key);
    if (running === undefined) this.#send({ type: 'target-gone', target: key });
    else {
      running.removed = true;
      running.probe?.stop();
    }
  }

  #begin(target: AgentTarget): void {
    const running: Running = { target, probe: undefined, removed: false };
    this.#running.set(target.key, running);
    void this.#capture(running).then(
      () => this.#hasEnded(running),
      (thrown) => {
        this.#fail(target.key, thrown);
        this.#hasEnded(running);
      },
    );
  }

  async #capture(running: Running): Promise<void> {
    const { target } = running;
    if (target.kind !== 'pod' || target.hostNetwork) throw onNodeNetwork();
    const { interface: interfaceName, snaplen, filter } = this.#request as CaptureRequest;
    const note = (text: string) => this.#handlers.note?.(text);
    const { container, tcpdump, after } = await chooseContainer(this.#kube, target, this.#preference, {
      note,
      signal: this.#abort.signal,
    });
    const names = target.containers.map(({ name }) => name).join(',');
    const label = `${target.namespace}/${target.pod}`;
    const place = {
      namespace: target.namespace,
      pod: target.pod,
      container,
      name: `${label}/${interfaceName}`,
      description: `pod=${label} uid=${target.uid}${names && ` containers=${names}`} captured-in=${container}`,
    };
    const joined = joinFilters(filter, target.filter);
    const probe = new PodProbe(
      place,
      { tcpdump, interface: interfaceName, snaplen, filter: joined, after },
      {
        nextId: () => this.#nextId(),
        blocks: (bytes) => this.#handlers.stdout(bytes),
        started: () => this.#send({ type: 'started', target: target.key, interface: place.name, id: probe.id ?? 0 }),
      },
    );
    running.probe = probe;
    await probe.start(this.#kube, this.#abort.signal);
    if (this.#paused) probe.pause();
    if (this.#stopping || running.removed) probe.stop();
    const end = await probe.ended;
    this.#send({ type: 'counters', target: target.key, id: probe.id ?? 0, counters: probe.counters });
    if (end.kind === 'failed')
      this.#fail(target.key, end.mayNot === true ? await this.#whereElse(end.error, target, after) : end.error);
    else if (end.kind === 'ended') {
      if (!this.#stopping) this.#send({ type: 'target-gone', target: target.key });
    } else if (!this.#stopping) this.#settle({ kind: 'lost', error: end.error });
  }

  /** The error of a container that may not capture, with what to try. */
  async #whereElse(error: KsnoopError, target: PodAgentTarget, after: AfterCapture): Promise<KsnoopError> {
    const { image } = this.#preference;
    // Where a container of our own may not, another one may neither.
    const own = after === 'end';
    const next = own ? WITH_AGENTS : await hintBesideOwnContainers(this.#kube, target, image, this.#abort.signal);
    const hint = `The container may not capture (it needs root with NET_RAW). ${next}`;
    return new KsnoopError(error.code, error.message, { hint, cause: error });
  }

  #hasEnded({ target }: Running): void {
    this.#running.delete(target.key);
    this.#finishIfEmpty(this.#stopping ? 'stopped' : 'targets-gone');
  }

  #finishIfEmpty(reason: 'stopped' | 'targets-gone'): void {
    if (this.#running.size > 0 || this.#finished) return;
    if (!this.#stopping && this.#request?.follow === true) return;
    this.#finished = true;
    if (this.#interfaces === 0) this.#beginSection();
    this.#handlers.stdout(endMarker({ version: 1, reason }));
    this.#send({ type: 'end', reason });
  }

  #nextId(): number {
    if (this.#interfaces === 0) this.#beginSection();
    this.#interfaces += 1;
    return this.#interfaces - 1;
  }

  #beginSection(): void {
    this.#handlers.stdout(sectionHeader('Linux'));
    this.#handlers.stdout(startMarker());
  }

  #fail(target: string, thrown: unknown): void {
    const error = thrown instanceof KsnoopError ? thrown : new KsnoopError('SESSION_FAILED', messageOf(thrown));
    const { code, message, hint } = error;
    this.#send({ type: 'target-failed', target, code, message, ...(hint !== undefined && { hint }) });
  }

  #send(event: AgentEvent): void {
    this.#handlers.stderr(Buffer.from(`${JSON.stringify(event)}\n`));
  }
}

function onNodeNetwork(): KsnoopError {
  return new KsnoopError(
    'AGENTLESS_REFUSED',
    'A pod with hostNetwork, or a node, cannot be captured from within pods: the capture would contain its own stream.',
    {
      hint: 'Capture with an agent on the node, in a privileged namespace: --agentless=node. Or install the agents: ksnoop install',
    },
  );
}
