import { type ConversationMaker, filler, type MadeExchange, numberIn } from './conversation.ts';

/** LDAP: results repeat the request's number, and their messages name the answer; searches find some entries before that. */
export const ldapConversation: ConversationMaker = (count, random) => {
  const exchanges = Array.from({ length: count }, (_, index): MadeExchange => {
    const id = 2 + index;
    const isSearch = random.below(2) === 0;
    const name = `ou=r${index}q,dc=shop`;
    const entry = () =>
      message(id, element(0x64, text(`uid=u,${name}`), element(0x30, text(filler(random.below(1_500), 'y')))));
    const entries = isSearch ? Array.from({ length: random.below(4) }, entry) : [];
    const result = [element(0x0a, Buffer.of(53)), text(''), text(`id${index}`)];
    return {
      request: isSearch
        ? message(id, element(0x63, text(name), element(0x0a, Buffer.of(2)), text(filler(random.below(300)))))
        : message(id, element(0x66, text(name), element(0x30, text(filler(random.below(2_000)))))),
      response: Buffer.concat([...entries, message(id, element(isSearch ? 0x65 : 0x67, ...result))]),
      failed: true,
    };
  });
  return {
    protocol: 'ldap',
    port: 389,
    opening: [],
    exchanges,
    anyOrder: true,
    requestOf: (event) => numberIn(event.label, /\br(\d+)q/),
    answerOf: (event) => numberIn(event.status, /\bid(\d+)$/),
  };
};

function message(id: number, operation: Buffer): Buffer {
  return element(0x30, element(0x02, id < 128 ? Buffer.of(id) : Buffer.of(id >> 8, id & 0xff)), operation);
}

function element(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 128 ? [tag, length] : length < 256 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(...head), content]);
}

function text(value: string): Buffer {
  return element(0x04, Buffer.from(value));
}
