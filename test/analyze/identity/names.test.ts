import { describe, expect, it } from 'vitest';
import { interfaceIdentity, observedName, recordedName } from '../../../src/analyze/identity/identity.ts';
import { NAMES_PER_ADDRESS, Names } from '../../../src/analyze/identity/names.ts';
import { IDENTITIES_CHARACTERS, IDENTITIES_MAXIMUM, NAMED_ADDRESSES_MAXIMUM } from '../../../src/analyze/limits.ts';
import { CLIENT, host, madeAnalysis, SERVER } from '../made-events.ts';

describe('what a name says', () => {
  it.each([
    ['shop/web-1', { namespace: 'shop', pod: 'web-1' }],
    ['web.shop', { service: 'web', namespace: 'shop' }],
    ['node/worker-1', { node: 'worker-1' }],
    ['worker-1', { name: 'worker-1' }],
    ['worker-1.example.com', { name: 'worker-1.example.com' }],
    ['a/b/c', { name: 'a/b/c' }],
    ['', {}],
  ])('in a capture file: %s', (text, parts) => {
    expect(recordedName(text)).toEqual(parts);
  });

  it.each([
    ['web.shop.svc.cluster.local.', { service: 'web', namespace: 'shop' }],
    ['web-0.web.shop.svc.cluster.local', { pod: 'web-0', service: 'web', namespace: 'shop' }],
    ['example.com', { name: 'example.com' }],
    ['svc.example.com', { name: 'svc.example.com' }],
  ])('asked of DNS: %s', (text, parts) => {
    expect(observedName(text)).toEqual(parts);
  });

  it.each([
    ['shop/web-1/any', 'node=worker-1 pod=shop/web-1 uid=1', { namespace: 'shop', pod: 'web-1', node: 'worker-1' }],
    ['node/worker-1/eth0', '', { node: 'worker-1' }],
    ['netns/blue/any', 'node=here netns=/run/netns/blue', { name: 'netns/blue' }],
    ['eth0', '', {}],
    ['\\Device\\NPF_{1}', '', {}],
    ['a/b', '', {}],
  ])('of an interface: %s', (name, description, parts) => {
    expect(interfaceIdentity(name, description)).toEqual(parts);
  });
});

describe('an address', () => {
  it('is who had it at the time, before the first known the first', () => {
    const { hosts, names } = madeAnalysis();
    const number = host(hosts, SERVER);
    names.addRecord(SERVER, ['shop/web-1'], 100);
    names.addRecord(SERVER, ['shop/api-1'], 200);
    names.addRecord(SERVER, ['shop/api-1'], 300);
    names.add(SERVER, {}, 400);
    const at = (time: number) => names.ofHost(number, time, 0)?.text;
    expect([50, 100, 199, 200, 399, 400, 150, 500].map(at)).toEqual([
      ...['shop/web-1', 'shop/web-1', 'shop/web-1', 'shop/api-1', 'shop/api-1', undefined, 'shop/web-1', undefined],
    ]);
    expect(names.ofAddress(SERVER, 250)?.pod).toBe('api-1');
  });

  it('has another version after each change, and none once it depends on the time', () => {
    const { hosts, names } = madeAnalysis();
    const number = host(hosts, SERVER);
    const versions = [names.version];
    names.addInterface(0, 'shop/web-1/any');
    versions.push(names.version);
    names.addRecord(SERVER, ['shop/web-1']);
    versions.push(names.version);
    names.addObserved(SERVER, 'web.shop.svc.cluster.local', 100);
    versions.push(names.version);
    expect(new Set(versions).size).toBe(4);
    expect(versions).not.toContain(undefined);
    names.addRecord(SERVER, ['shop/web-1']);
    expect([names.version, names.ofHost(number, 50, 0)?.text]).toEqual([versions[3], 'shop/web-1']);
    names.addRecord(SERVER, ['shop/api-1'], 200);
    expect([names.version, names.ofHost(number, 50, 0)?.text]).toEqual([undefined, 'shop/web-1']);
  });

  it('is what DNS called it last, also where names come back', () => {
    const { names } = madeAnalysis();
    const said: readonly (readonly [string, number])[] = [
      ['a.example', 10],
      ['a.example', 20],
      ['b.example', 30],
      ['a.example', 40],
      ['a.example', 35],
    ];
    for (const [name, time] of said) names.addObserved(SERVER, name, time);
    names.addObserved(CLIENT, 'a.example', 50);
    names.addObserved(SERVER, 'a.example', 60);
    names.addObserved(CLIENT, 'a.example', 1, 7);
    const at = (time: number) => names.ofAddress(SERVER, time)?.text;
    expect([5, 15, 29, 30, 34, 35, 41, 99].map(at)).toEqual([
      ...['a.example', 'a.example', 'a.example', 'b.example', 'b.example', 'a.example', 'a.example', 'a.example'],
    ]);
    expect(names.ofAddress(CLIENT, 55)?.text).toBe('a.example');
    expect(names.ofAddress(CLIENT, 2, 7)?.text).toBe('other clusters/a.example');
  });

  it('that was looked up before it had a name has it from then on', () => {
    const { hosts, names } = madeAnalysis();
    const number = host(hosts, SERVER);
    expect(names.ofHost(number, 0, 0)).toBeUndefined();
    names.addObserved('10.9.9.9', 'other.example.com', 1);
    expect(names.ofHost(number, 2, 0)).toBeUndefined();
    names.addObserved(SERVER, 'web.example.com.', 3);
    expect(names.ofHost(number, 4, 0)?.text).toBe('web.example.com');
    names.addRecord(SERVER, ['shop/web-1'], 5);
    expect(names.ofHost(number, 6, 0)?.text).toBe('shop/web-1');
  });

  it('is called by DNS only while nothing better is known', () => {
    const { names } = madeAnalysis();
    names.addObserved(SERVER, 'web.shop.svc.cluster.local', 10);
    names.addRecord(SERVER, ['shop/web-1'], 50);
    names.add(SERVER, {}, 90);
    expect(names.ofAddress(SERVER, 60)?.text).toBe('shop/web-1');
    expect(names.ofAddress(SERVER, 95)).toMatchObject({ service: 'web', namespace: 'shop', text: 'web.shop' });
  });

  it('of a pod goes by the Service it answers for as well, from the beginning', () => {
    const { names } = madeAnalysis();
    names.addRecord(SERVER, ['shop/web-1'], 10);
    names.addRecord(SERVER, ['web-headless.shop', 'web.shop', 'shop/web-1'], 50);
    names.addRecord(SERVER, ['db.other'], 90);
    const web = { pod: 'web-1', namespace: 'shop', service: 'web', text: 'shop/web-1', group: 'web.shop' };
    expect(names.ofAddress(SERVER, 20)).toMatchObject(web);
    expect(names.ofAddress(SERVER, 60)).toMatchObject(web);
    expect(names.ofAddress(SERVER, 95)).toMatchObject({ service: 'db', namespace: 'other', pod: undefined });
  });

  it('of one pod keeps what each source knows of it', () => {
    const { names } = madeAnalysis();
    names.addRecord(SERVER, ['shop/web-1']);
    names.add(SERVER, { namespace: 'shop', pod: 'web-1', service: 'web', node: 'worker-1' }, 100);
    names.addRecord(SERVER, ['shop/web-1'], 200);
    expect(names.ofAddress(SERVER, 300)).toMatchObject({ node: 'worker-1', text: 'shop/web-1', group: 'web.shop' });
  });

  it('of two with the same name is the same identity', () => {
    const { names } = madeAnalysis();
    names.addRecord(SERVER, ['shop/web-1']);
    names.addRecord('fd00::5', ['shop/web-1']);
    expect(names.ofAddress(SERVER, 0)).toBe(names.ofAddress('fd00::5', 0));
  });

  it("on a pod's interface is the pod, the loopback address on each its own", () => {
    const { hosts, names } = madeAnalysis();
    names.addInterface(0, 'shop/client-1/any', 'node=worker-1 pod=shop/client-1 uid=1');
    names.addInterface(1, 'shop/web-1/any');
    names.addInterface(2, 'node/worker-1/any');
    const [client, server, loopback] = [CLIENT, SERVER, '127.0.0.1'].map((address) => host(hosts, address));
    names.sawLocal(client as number, 0, 10);
    names.sawLocal(server as number, 2, 10);
    names.sawLocal(loopback as number, 0, 10);
    expect(names.ofHost(client as number, 20, 1)).toMatchObject({ pod: 'client-1', node: 'worker-1' });
    expect(names.ofHost(server as number, 20, 1)).toBeUndefined();
    expect(names.ofHost(loopback as number, 20, 0)?.text).toBe('shop/client-1');
    expect(names.ofHost(loopback as number, 20, 1)?.text).toBe('shop/web-1');
    expect(names.ofHost(loopback as number, 20, -1)).toBeUndefined();
    expect(names.ofHost(-1, 20, 0)).toBeUndefined();
  });

  it('is a loopback address also behind many others', () => {
    const { hosts, names } = madeAnalysis();
    names.addInterface(0, 'shop/client-1/any');
    for (let index = 0; index < 700; index += 1) {
      const isLoopback = index % 100 === 99;
      const other = host(
        hosts,
        isLoopback ? `127.0.${index >> 8}.${index & 255}` : `10.1.${index >> 8}.${index & 255}`,
      );
      expect(names.ofHost(other, 20, 0)?.text, `${index}`).toBe(isLoopback ? 'shop/client-1' : undefined);
    }
    for (let index = 0; index < 700; index += 1) {
      const again = host(hosts, `127.0.${index >> 8}.${index & 255}`);
      expect(names.ofHost(again, 20, 0)?.text).toBe('shop/client-1');
    }
  });

  it('moves to another interface when several flows begin there and none at the one before, not by one packet', () => {
    const { hosts, names } = madeAnalysis();
    names.addInterface(0, 'shop/client-1/any');
    names.addInterface(1, 'shop/web-1/any');
    const client = host(hosts, CLIENT);
    names.sawLocal(client, 0, 10);
    names.sawLocal(client, 1, 20);
    names.sawLocal(client, 1, 21);
    names.sawLocal(client, 0, 22);
    names.sawLocal(client, 1, 23);
    expect(names.ofHost(client, 24, 2)?.text).toBe('shop/client-1');
    names.sawLocal(client, 1, 30);
    expect(names.ofHost(client, 31, 2)?.text).toBe('shop/client-1');
    // The third one in a row.
    names.sawLocal(client, 1, 31);
    expect(names.ofHost(client, 22, 2)?.text).toBe('shop/client-1');
    expect([23, 32].map((time) => names.ofHost(client, time, 2)?.text)).toEqual(['shop/web-1', 'shop/web-1']);
  });

  it('is whose the cluster says, whatever packets show; the disagreement is counted once', () => {
    const { hosts, names } = madeAnalysis();
    names.addInterface(0, 'shop/evil/any');
    names.addRecord(SERVER, ['shop/web-1']);
    names.addObserved(CLIENT, 'db.example.com', 0);
    const [server, observed] = [host(hosts, SERVER), host(hosts, CLIENT)];
    for (let time = 1; time < 10; time += 1) for (const forged of [server, observed]) names.sawLocal(forged, 0, time);
    expect(names.ofHost(server, 20, 1)?.text).toBe('shop/web-1');
    expect(names.ofHost(observed, 20, 1)?.text).toBe('db.example.com');
    expect([...names.disputed]).toEqual([SERVER]);
  });

  it('with the name of a node that an interface told is the node', () => {
    const { names } = madeAnalysis();
    names.addInterface(0, 'shop/client-1/any', 'node=worker-1 pod=shop/client-1 uid=1');
    names.addRecord('172.18.0.2', ['worker-1']);
    names.addRecord('172.18.0.3', ['printer']);
    expect(names.ofAddress('172.18.0.2', 0)).toMatchObject({ node: 'worker-1', name: undefined, text: 'worker-1' });
    expect(names.ofAddress('172.18.0.3', 0)).toMatchObject({ node: undefined, name: 'printer' });
  });

  it('called by ever new names of DNS is bounded, the loss counted, and what it was before stays', () => {
    const names = new Names();
    names.addRecord(SERVER, ['shop/web-1']);
    const more = 5;
    for (let index = 0; index < IDENTITIES_MAXIMUM - 1 + more; index += 1) {
      names.addObserved('10.0.0.9', `n${index}.example.com`, index);
    }
    expect(names.forgotten).toBe(IDENTITIES_MAXIMUM - 1 - NAMES_PER_ADDRESS + more);
    names.addRecord(SERVER, ['shop/other'], 9);
    expect(names.ofAddress(SERVER, 10)?.text).toBe('shop/web-1');
  });

  it('that changes hands without end is bounded, and the loss counted', () => {
    const names = new Names();
    for (let time = 0; time < NAMES_PER_ADDRESS * 2; time += 1) names.addRecord(SERVER, [`shop/web-${time}`], time);
    expect(names.forgotten).toBe(NAMES_PER_ADDRESS);
    expect(names.ofAddress(SERVER, 1e9)?.pod).toBe(`web-${NAMES_PER_ADDRESS * 2 - 1}`);
  });
});

it.each(['224.0.0.251', '239.1.2.3', '255.255.255.255', '0.0.0.0', 'ff02::fb', '::'])(
  'an address of many has no name, whoever is said to have it: %s',
  (address) => {
    const { names } = madeAnalysis();
    names.add(address, { namespace: 'shop', pod: 'web-1' }, 0);
    names.addRecord(address, ['web.shop']);
    names.addObserved(address, 'example.com', 0);
    expect(names.ofAddress(address, 1)).toBeUndefined();
  },
);

it('a packet that a pod receives for many names nobody', () => {
  const { names, hosts } = madeAnalysis();
  names.addInterface(0, 'shop/web-1/any');
  const [group, own] = [host(hosts, '224.0.0.251'), host(hosts, '10.244.1.77')];
  names.sawLocal(group, 0, 0);
  names.sawLocal(own, 0, 0);
  expect(names.ofHost(group, 1, 0)).toBeUndefined();
  expect(names.ofHost(own, 1, 0)?.text).toBe('shop/web-1');
});

it('names of addresses are bounded by their characters and by the addresses', () => {
  const long = new Names();
  const name = 'x'.repeat(1_000);
  const fitting = Math.floor(IDENTITIES_CHARACTERS / 1_000);
  for (let index = 0; index < fitting; index += 1) long.addRecord('10.0.0.1', [`${name}${index}`]);
  expect(long.forgotten).toBeGreaterThan(NAMES_PER_ADDRESS);
  const many = new Names();
  for (let index = 0; index < NAMED_ADDRESSES_MAXIMUM + 7; index += 1) many.addRecord(`fd00::${index}`, ['web']);
  expect(many.forgotten).toBe(7);
});

it('hosts that are no pods are not one host, though nothing but their names differs', () => {
  const { names } = madeAnalysis();
  names.add(SERVER, { name: 'old.example.com' }, 10);
  names.add(SERVER, { node: 'worker-1' }, 20);
  expect(names.ofAddress(SERVER, 15)?.text).toBe('old.example.com');
  expect(names.ofAddress(SERVER, 25)).toMatchObject({ node: 'worker-1', name: undefined });
  names.add(SERVER, { service: 'web', namespace: 'shop' }, 30);
  names.add(SERVER, { namespace: 'shop', name: 'other' }, 40);
  expect(names.ofAddress(SERVER, 45)).toMatchObject({ name: 'other', service: undefined });
});
