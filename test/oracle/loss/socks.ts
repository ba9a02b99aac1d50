import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

const PORT = Buffer.of(0x01, 0xbb);
const GRANTED = { 4: 90, 5: 0 } as const;
const REFUSED = { 4: 91, 5: 5 } as const;
const NO_PASSWORD = 0;
const PASSWORD = 2;

/** SOCKS 4a and 5, with a password or without: one request of a connection, and where it is granted what the tunnel carries. */
export const socksConversation: ConversationMaker = (count, random) => {
  const version = random.below(3) === 0 ? 4 : 5;
  const failed = random.below(2) === 0;
  const host = `r0q.${filler(random.below(60))}.test`;
  const code = (failed ? REFUSED : GRANTED)[version];
  const exchange: MadeExchange = {
    request: version === 4 ? request4(host) : request5(host),
    response: version === 4 ? Buffer.of(0, code, ...PORT, 0, 0, 0, 0) : Buffer.of(5, code, 0, 1, 0, 0, 0, 0, 0, 0),
    after: failed ? Buffer.alloc(0) : Buffer.from(filler(count * 100)),
    failed,
  };
  return {
    protocol: 'socks',
    port: 1080,
    opening: version === 4 ? [] : greeting(random.below(2) === 0),
    exchanges: [exchange],
    anyOrder: false,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q\./),
    answerOf: ({ status }) => (status === '' ? undefined : 0),
    problemOf: ({ status }) => (status !== '' && (status === 'granted') === failed ? 'another outcome' : undefined),
  };
};

function request4(host: string): Buffer {
  return Buffer.concat([Buffer.of(4, 1, ...PORT, 0, 0, 0, 1), Buffer.from(`user\0${host}\0`)]);
}

function request5(host: string): Buffer {
  return Buffer.concat([Buffer.of(5, 1, 0, 3, host.length), Buffer.from(host), PORT]);
}

function greeting(hasPassword: boolean): [0 | 1, Buffer][] {
  if (!hasPassword)
    return [
      [0, Buffer.of(5, 1, NO_PASSWORD)],
      [1, Buffer.of(5, NO_PASSWORD)],
    ];
  return [
    [0, Buffer.of(5, 2, NO_PASSWORD, PASSWORD)],
    [1, Buffer.of(5, PASSWORD)],
    [0, Buffer.concat([Buffer.of(1, 4), Buffer.from('user'), Buffer.of(6), Buffer.from('secret')])],
    [1, Buffer.of(1, 0)],
  ];
}
