import { fileURLToPath } from 'node:url';
import { describe, expect, it, test } from 'vitest';
import { mqtt } from '../../../../src/analyze/protocols/mqtt/index.ts';
import { readProperties } from '../../../../src/analyze/protocols/mqtt/properties.ts';
import { analyseFile } from '../../../support/analysis.ts';
import { brief, briefOfFile } from '../brief.ts';
import { conversations } from '../conversations.ts';
import { inventsNothing, likesNoNoise, sameHoweverCut, survivesMutations } from '../hardiness.ts';
import { type PlayOptions, play, type Step } from '../play.ts';
import { tsharkFields } from '../tshark-fields.ts';

const CAPTURE = fileURLToPath(new URL('../captures/mqtt.pcap', import.meta.url));
const ALL = conversations(CAPTURE);

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const CONNECT: Step = [0, hex('10 10 0004 4d515454 04 02 003c 0004 77656231')];
const CONNACK: Step = [1, hex('20 02 00 00')];
/** PUBLISH of QoS 1 to `a/b/c`, number 7. */
const PUBLISH: Step = [0, hex('32 0a 0005 612f622f63 0007 78')];
const PUBACK: Step = [1, hex('40 02 0007')];
const told = (steps: readonly Step[], options: PlayOptions = {}) => brief(play(mqtt, steps, options));

describe('real brokers and clients', () => {
  it('connections, messages of each QoS in both directions, subscriptions and refusals', async () => {
    expect(await briefOfFile(CAPTURE)).toMatchSnapshot();
  });

  it('an exchange has its parts', async () => {
    const events = (await analyseFile(CAPTURE)).events.map(({ event }) => event);
    expect(events.find(({ label }) => label === 'PUBLISH secret/plan')).toMatchObject({
      route: 'PUBLISH secret/plan',
      status: 'not authorized',
      failed: true,
      fields: { mqtt: { type: 'PUBLISH', topic: 'secret/plan', qos: 1, code: 0x87, error: 'not authorized' } },
    });
    expect(events.find(({ label }) => label === 'CONNECT modern')).toMatchObject({
      status: 'accepted',
      fields: { mqtt: { clientId: 'modern', version: '5' } },
    });
    // Of whom a message comes to a client, the server.
    expect(events.find((event) => event.kind === 'exchange' && event.requester === 1)).toMatchObject({
      label: 'PUBLISH sensors/18/temperature',
      route: 'PUBLISH sensors/:id/temperature',
    });
  });

  it('the packets that tshark sees: topics of messages, as often', async () => {
    const frames = tsharkFields(CAPTURE, 'mqtt.msgtype == 3', ['mqtt.msgtype', 'mqtt.topic']);
    if (frames === undefined) return;
    const theirs = frames.flatMap(([, topics = '']) => topics.split(',').filter((topic) => topic !== ''));
    const ours = (await analyseFile(CAPTURE)).events.flatMap(({ event }) => {
      const { type, topic } = (event.fields.mqtt ?? {}) as { type?: string; topic?: string };
      return type === 'PUBLISH' && topic !== undefined ? [topic] : [];
    });
    expect(ours.length).toBe(22);
    for (const topic of new Set(theirs)) {
      expect([topic, ours.filter((other) => other === topic).length]).toEqual([
        topic,
        theirs.filter((other) => other === topic).length,
      ]);
    }
  });

  it('shows no credential', async () => {
    expect(JSON.stringify((await analyseFile(CAPTURE)).events)).not.toMatch(/hunter2/);
  });
});

describe('any bytes', () => {
  it('the same events however the stream is cut', () => {
    for (const steps of ALL) sameHoweverCut(mqtt, steps);
  });

  it('mutated conversations', () => survivesMutations(mqtt, ALL, 300));

  it('random bytes are not MQTT', () => likesNoNoise(mqtt, 300_000));

  it('knows whose bytes they are when the capture begins in the middle', () => {
    for (const steps of ALL) {
      for (const [side, what] of steps) {
        const bytes = what as Uint8Array;
        expect(mqtt.probe(bytes, 0, bytes.length)).not.toBe(side === 0 ? 'server' : 'client');
      }
    }
  });

  it('goes on behind what was not captured, and invents nothing', () => {
    for (const steps of ALL) {
      // Without the PUBLISH the topic of what releases it is not known, nor that of an alias.
      inventsNothing(mqtt, steps, ({ label }) =>
        /^PUB(?:REL|LISH)$/.test(label) ? 'CONNECT' : label.replace(/^CONNECT .*/, 'CONNECT'),
      );
    }
  });
});

test.each([
  ['10 10 0004 4d515454 04 02 003c 0004 77656231', 'client'],
  ['10 12 0006 4d5149736470 03 02 003c 0004 77656231', 'client'],
  ['10 10 0004 4d51', 'more'],
  ['10 10 0004 4d515445 04', 'no'],
  ['20 02 00 00', 'server'],
  ['20 03 00 00 00', 'server'],
  ['20 02 00 00 01', 'no'],
  ['30 07 0005 612f622f63', 'either'],
  ['30 07 0005 612f232f63', 'no'],
  ['30 09 0005 612f622f63 78 79 ff', 'no'],
  ['82 0a 0001 0005 612f622f63 01', 'client'],
  ['82 0b 0001 00 0005 612f622f63 01', 'client'],
  // An LDAP search.
  ['30 25 02 01 02 63 20 04 0b 64 63 3d 73 68 6f 70', 'no'],
  ['c0 00', 'no'],
] as const)('%s is %s', (text, likeness) => {
  const bytes = hex(text);
  expect(mqtt.probe(bytes, 0, bytes.length)).toBe(likeness);
});

describe('what the capture does not have', () => {
  it('a message that is not acknowledged', () => {
    expect(told([CONNECT, CONNACK, PUBLISH])).toEqual(['CONNECT web1 = accepted', 'PUBLISH a/b/c = ! [no response]']);
    expect(told([CONNECT, CONNACK, PUBLISH], { end: 'capture ended' })[1]).toBe('PUBLISH a/b/c =  [capture ended]');
  });

  it('acknowledgements of what was not captured, from the middle on', () => {
    const steps: Step[] = [PUBLISH, PUBACK, [0, { gap: 12 }], [1, hex('40 02 0008')]];
    expect(told(steps, { midstream: true })).toEqual([
      'PUBLISH a/b/c = ok',
      '(request not seen) = ok [request not seen]',
    ]);
  });

  it('an acknowledgement of another kind answers nothing', () => {
    expect(told([CONNECT, CONNACK, PUBLISH, [1, hex('50 02 0007')], PUBACK])[1]).toBe('PUBLISH a/b/c = ok');
  });

  it('return codes of older versions and refused subscriptions', () => {
    expect(told([CONNECT, [1, hex('20 02 00 04')]])).toEqual(['CONNECT web1 = bad user name or password!']);
    const subscribe: Step = [0, hex('82 0a 0001 0005 612f622f63 01')];
    expect(told([CONNECT, CONNACK, subscribe, [1, hex('90 03 0001 80')]])[1]).toBe('SUBSCRIBE a/b/c = failure!');
  });

  it('a server that ends the connection states why', () => {
    expect(told([CONNECT, CONNACK, [1, hex('e0 07 8b 05 1f 0002 6279')]]).at(-1)).toBe(
      'MQTT_DISCONNECT DISCONNECT server shutting down: by',
    );
  });

  it('what is missing of a payload hides nothing else', () => {
    const steps: Step[] = [
      CONNECT,
      CONNACK,
      [0, hex('32 8920 0005 612f622f63 0007 78')],
      [0, { gap: 0x1009 - 10 }],
      [0, hex('32 0a 0005 642f652f66 0008 78')],
      [1, hex('40 02 0007 40 02 0008')],
    ];
    expect(told(steps).slice(1)).toEqual(['PUBLISH a/b/c = ok [request not captured]', 'PUBLISH d/e/f = ok']);
  });

  it('behind a hole the next topic, and the next answer that is awaited', () => {
    const steps: Step[] = [
      CONNECT,
      CONNACK,
      [0, { gap: 500 }],
      [0, hex('ffff 32 0a 0005 642f652f66 0008 78')],
      [1, { gap: 50 }],
      [1, hex('40 02 0008')],
    ];
    expect(told(steps).at(-1)).toBe('PUBLISH d/e/f = ok');
  });
});

test('properties are read up to one that is not known', () => {
  const bytes = hex('0e 01 01 23 0005 26 0001 61 0001 62 1f 0001 63 ff');
  expect(readProperties(bytes, 0, bytes.length)).toEqual({ next: 15, topicAlias: 5, reason: '' });
  const whole = hex('09 23 0005 1f 0003 626164');
  expect(readProperties(whole, 0, whole.length)).toMatchObject({ topicAlias: 5, reason: 'bad' });
});
