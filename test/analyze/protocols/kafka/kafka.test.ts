import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { PENDING_PER_STREAM } from '../../../../src/analyze/limits.ts';
import { apiName } from '../../../../src/analyze/protocols/kafka/apis.ts';
import { kafka } from '../../../../src/analyze/protocols/kafka/index.ts';
import type { AnalysisEvent, Exchange } from '../../../../src/analyze/record/event.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const NEW = fileURLToPath(new URL('../captures/kafka.pcap', import.meta.url));
const OLD = fileURLToPath(new URL('../captures/kafka-old.pcap', import.meta.url));
const BOTH = [...conversations(NEW), ...conversations(OLD)];

function isExchange(event: AnalysisEvent): event is Exchange {
  return event.kind === 'exchange' && event.protocol === 'kafka';
}

function said(events: readonly AnalysisEvent[]): string[] {
  return events.filter(isExchange).map(({ label, status }) => `${label} ${status}`.trim());
}

async function saidOf(path: string): Promise<string[]> {
  const { events } = await analyseFile(path);
  return [...new Set(said(events.map(({ event }) => event)))].sort();
}

describe('real brokers and clients', () => {
  it.each([NEW, OLD].map((path) => [basename(path), path] as const))(
    '%s: the requests that tshark sees, as often',
    async (_, path) => {
      const fields = ['tcp.stream', 'kafka.api_key', 'kafka.api_version', 'kafka.correlation_id', 'kafka.len'];
      const requests = tsharkFields(path, 'kafka.api_version', fields, ['-d', 'tcp.port==9094,kafka']);
      const { events } = await analyseFile(path);
      const ours = events.flatMap(({ event, flow }) => {
        if (!isExchange(event)) return [];
        const { api, version, correlationId } = event.fields.kafka as {
          api: string;
          version: number;
          correlationId: number;
        };
        return [`${flow} ${api} ${version} ${correlationId} ${event.requestBytes}`];
      });
      expect(ours.length).toBeGreaterThan(60);
      const theirs = requests?.map(
        ([stream, key, version, id, length]) =>
          `${stream} ${apiName(Number(key))} ${version} ${id} ${Number(length) + 4}`,
      );
      if (theirs !== undefined) expect(ours.sort()).toEqual(theirs.sort());
    },
  );

  it('error codes as tshark reads them, of the versions it knows', async () => {
    const fields = ['tcp.stream', 'kafka.correlation_id', 'kafka.error'];
    const answers = tsharkFields(OLD, 'kafka.error', fields, ['-d', 'tcp.port==9094,kafka']);
    const { events } = await analyseFile(OLD);
    let compared = 0;
    for (const { event, flow } of events) {
      if (!isExchange(event)) continue;
      const { correlationId, errorCode = 0 } = event.fields.kafka as { correlationId: number; errorCode?: number };
      for (const [stream, id, codes = ''] of answers ?? []) {
        if (Number(stream) !== flow || Number(id) !== correlationId) continue;
        // Of the ids that were used twice on a connection (SASL counts anew), the other one has none.
        expect(Number(codes.split(',').find((code) => code !== '0') ?? 0)).toBe(errorCode);
        compared += 1;
      }
    }
    if (answers !== undefined) expect(compared).toBeGreaterThan(50);
  });

  it('flexible versions: what was asked, and how it went', async () => {
    expect(await saidOf(NEW)).toMatchSnapshot();
  });

  it('versions before flexible ones', async () => {
    expect(await saidOf(OLD)).toMatchSnapshot();
  });

  it('an Exchange has its parts', async () => {
    const { events } = await analyseFile(NEW);
    const failed = events.map(({ event }) => event).find((event) => event.label === 'Produce small-ones');
    expect(failed).toMatchObject({
      route: 'Produce small-ones',
      status: 'MESSAGE_TOO_LARGE',
      failed: true,
      requestBytes: 3126,
      responseBytes: 61,
      fields: { kafka: { api: 'Produce', version: 11, clientId: 'shop-web', topics: ['small-ones'], acks: 1 } },
    });
    const unanswered = events.map(({ event }) => event).filter((event) => isExchange(event) && acks(event) === 0);
    expect(unanswered).toHaveLength(2);
    for (const event of unanswered) {
      expect(event).toMatchObject({ responseTime: undefined, failed: false, status: '', incomplete: undefined });
    }
  });

  it('fetches go on being about their topic when they do not name it', async () => {
    const { events } = await analyseFile(NEW);
    const fetches = events.map(({ event }) => event).filter(({ label }) => label.startsWith('Fetch'));
    expect(fetches.length).toBeGreaterThan(2);
    for (const { label } of fetches) expect(label).toBe('Fetch orders-new');
  });

  it('names SASL mechanisms and shows no credential', async () => {
    for (const path of [NEW, OLD]) {
      const { events } = await analyseFile(path);
      const text = JSON.stringify(events);
      expect(text).toContain('SCRAM-SHA-256');
      expect(text).toContain('SASL_AUTHENTICATION_FAILED');
      expect(text).not.toMatch(/hunter2|clerk|,r=|p=/);
    }
  });
});

function acks(event: AnalysisEvent): unknown {
  return (event.fields.kafka as { acks?: number }).acks;
}

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of BOTH) sameHoweverCut(kafka, steps);
  });

  it('mutated conversations', () => survivesMutations(kafka, BOTH, 600));

  it('random bytes are not Kafka', () => likesNoNoise(kafka, 300_000));

  it('what begins alike is not Kafka: an OpenFlow connection', () => {
    const hello = Buffer.from('0400001000000001000100080000001204050008000000020400000800000003', 'hex');
    expect(kafka.probe(hello, 0, hello.length)).toBe('no');
    expect(kafka.probe(hello, 0, 8)).toBe('no');
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    for (const steps of BOTH) {
      const key = (event: AnalysisEvent) =>
        JSON.stringify((event.fields.kafka as { correlationId: number }).correlationId);
      const share = inventsNothing(kafka, steps, key);
      if (steps.length > 8) expect(share).toBeGreaterThan(0.7);
    }
  });

  it('a server that is heard alone is not understood, which is said', () => {
    for (const steps of BOTH)
      expect(
        play(
          kafka,
          steps.filter(([side]) => side === 1),
        ).map((event) => event.kind === 'event' && event.code),
      ).toEqual(['PROTOCOL_LOST']);
  });

  it('requests that nobody answers', () => {
    const events = BOTH.flatMap((steps) =>
      play(
        kafka,
        steps.filter(([side]) => side === 0),
      ),
    );
    const waiting = events.filter(isExchange).filter((event) => acks(event) !== 0);
    expect(waiting.length).toBeGreaterThan(100);
    // Two have numbers that the client used again.
    const unknown = waiting.filter(({ incomplete }) => incomplete === 'unknown');
    expect(unknown).toHaveLength(2);
    for (const event of waiting) {
      if (!unknown.includes(event)) expect(event).toMatchObject({ failed: true, incomplete: 'no response' });
    }
  });
});

describe('what the captures do not have', () => {
  /** A request of a version with plain strings: API key, version, correlation id, body. */
  function request(key: number, version: number, id: number, body: Buffer): Buffer {
    const head = Buffer.from('\0\0\0\0\0\0\0\0\0\0\0\0\0\x01c', 'latin1');
    head.writeInt32BE(11 + body.length, 0);
    head.writeInt16BE(key, 4);
    head.writeInt16BE(version, 6);
    head.writeInt32BE(id, 8);
    return Buffer.concat([head, body]);
  }
  const answer = (id: number, body: string) => {
    const head = Buffer.alloc(8);
    head.writeInt32BE(4 + body.length, 0);
    head.writeInt32BE(id, 4);
    return Buffer.concat([head, Buffer.from(body, 'latin1')]);
  };

  it('a topic that a fetch names by id has the name that Metadata gave on another connection', () => {
    const id = 'i'.repeat(16);
    const asked = request(3, 12, 1, Buffer.from(`\0\x02${'\0'.repeat(16)}\x07orders\0\x01\x01\x01\0`, 'latin1'));
    const named = answer(1, `\0\0\0\0\0\x01\0\0\0\0\x01\x02\0\0\x07orders${id}\0\x01\0\0\0\0\0\0\0\0`);
    const fetch: Step[] = [[0, request(1, 13, 2, Buffer.from(`\0${'\0'.repeat(25)}\x02${id}\x01\0\x01\x01\0`))]];
    const topicNames = new Map<string, string>();
    const labels = (steps: readonly Step[], shared?: Map<string, string>) =>
      play(kafka, steps, { topicNames: shared ?? new Map() }).map(({ label }) => label);
    expect(
      labels(
        [
          [0, asked],
          [1, named],
        ],
        topicNames,
      ),
    ).toEqual(['Metadata orders']);
    expect([labels(fetch, topicNames), labels(fetch)]).toEqual([['Fetch orders'], ['Fetch']]);
    for (const detail of [true, false])
      expect(play(kafka, fetch, { topicNames, detail })[0]).toMatchObject({ route: 'Fetch orders' });
  });

  it('topic ids are remembered within a bound', () => {
    const topicNames = new Map<string, string>();
    for (let index = 0; index < 9_000; index += 1) {
      const id = String(index).padStart(16, '0');
      const named = answer(1, `\0\0\0\0\0\x01\0\0\0\0\x01\x02\0\0\x02t${id}`);
      play(
        kafka,
        [
          [0, request(3, 12, 1, Buffer.from('\0\x01\x01\x01\0'))],
          [1, named],
        ],
        { topicNames, detail: false },
      );
    }
    expect(topicNames.size).toBe(8192);
    expect(topicNames.has('8999'.padStart(16, '0'))).toBe(true);
  });

  it('bare tokens after SaslHandshake v0 are passed over, and requests go on behind them', () => {
    const steps: Step[] = [
      [0, request(17, 0, 7, Buffer.from('\0\x05PLAIN'))],
      [1, answer(7, '\0\0\0\0\0\0')],
      [0, '\0\0\0\x0d\0shop\0hunter2'],
      [1, '\0\0\0\0'],
      [0, request(12, 0, 8, Buffer.from('\0\x03abc\0\0\0\x01\0\x01m'))],
      [1, answer(8, '\0\x1b')],
    ];
    const events = sameHoweverCut(kafka, steps);
    expect(said(events)).toEqual(['SaslHandshake PLAIN NONE', 'Heartbeat abc REBALANCE_IN_PROGRESS']);
    expect(JSON.stringify(events)).not.toContain('hunter2');
  });

  it('an unknown API, and an API of a version to come, are told without a status', () => {
    const steps: Step[] = [
      [0, request(110, 1, 1, Buffer.from('abcd'))],
      [1, answer(1, '\0\x07\0\0')],
      [0, request(12, 9, 2, Buffer.from('abcd'))],
      [1, answer(2, '\0\x07\0\0')],
    ];
    expect(said(sameHoweverCut(kafka, steps))).toEqual(['API 110', 'Heartbeat']);
  });

  it('bytes missing within a large body cost the body only', () => {
    const produce = request(
      0,
      0,
      3,
      Buffer.concat([Buffer.from('\0\x01\0\0\0\0\0\0\0\x01\0\x01t'), Buffer.alloc(9000)]),
    );
    const steps: Step[] = [
      [0, produce.subarray(0, 2000)],
      [0, { gap: 5000 }],
      [0, produce.subarray(7000)],
      [1, answer(3, '\0\0\0\x01\0\x01t\0\0\0\x01\0\0\0\0\0\x06\0\0\0\0\0\0\0\0')],
    ];
    expect(sameHoweverCut(kafka, steps)).toMatchObject([
      {
        label: 'Produce t',
        status: 'NOT_LEADER_OR_FOLLOWER',
        incomplete: 'request not captured',
        requestBytes: produce.length,
      },
    ]);
  });

  it('a response to a request that was not captured is stated by itself', () => {
    const heartbeat = (id: number) => request(12, 0, id, Buffer.from('\0\x03abc\0\0\0\x01\0\x01m'));
    const steps: Step[] = [
      [0, heartbeat(1)],
      [1, answer(1, '\0\0')],
      [0, { gap: heartbeat(2).length }],
      [1, answer(2, '\0\x1b')],
      [0, heartbeat(3)],
      [1, answer(3, '\0\0')],
    ];
    expect(sameHoweverCut(kafka, steps)).toMatchObject([
      { label: 'Heartbeat abc', status: 'NONE', incomplete: undefined },
      {
        label: '(request not seen)',
        incomplete: 'request not seen',
        failed: false,
        fields: { kafka: { correlationId: 2 } },
      },
      { label: 'Heartbeat abc', status: 'NONE', incomplete: undefined },
    ]);
  });

  it('a number that is used again pairs only what the packets allow', () => {
    const heartbeat = request(12, 0, 5, Buffer.from('\0\x03abc\0\0\0\x01\0\x01m'));
    const events = play(kafka, [
      [0, heartbeat],
      // Sent before the request had arrived.
      [1, answer(5, '\0\x1b'), 0],
    ]);
    expect(events).toMatchObject([{ label: 'Heartbeat abc', status: '', incomplete: 'no response' }]);
  });

  it.each([
    ['capture ended', 'capture ended', false],
    ['closed', 'closed early', true],
  ] as const)('a response of which a part came, %s', (end, incomplete, failed) => {
    const fetched = answer(4, `\0\0\0\0${'x'.repeat(500)}`);
    const [event] = play(
      kafka,
      [
        [0, request(1, 0, 4, Buffer.from('\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1'))],
        [1, fetched.subarray(0, 100)],
      ],
      { end },
    );
    expect(event).toMatchObject({
      incomplete,
      failed,
      responseBytes: 100,
      declaredBytes: fetched.length,
      responseEnd: undefined,
    });
  });

  it('waiting requests are bounded', () => {
    const steps: Step[] = [];
    for (let id = 0; id < 3000; id += 1) steps.push([0, request(12, 0, id, Buffer.from('\0\x01g'))]);
    const events = play(kafka, steps);
    expect(events).toHaveLength(3000);
    const those = (why: string) => events.filter((event) => event.kind === 'exchange' && event.incomplete === why);
    expect(those('no response')).toHaveLength(PENDING_PER_STREAM);
    expect(those('unknown')).toHaveLength(3000 - PENDING_PER_STREAM);
  });
});
