import { test } from 'vitest';
import { dubboBegins, dubboLength, dubboLikeness } from '../../../../src/analyze/protocols/dubbo/message.ts';
import { byNumber, byReader, expectLines, judged, madeMessages, withNumber } from '../../../support/by-byte.ts';

test('lengths of messages, which begin, and whose they are', async () => {
  const header = (flags: number, status: number) =>
    Buffer.concat([Buffer.of(0xda, 0xbb, flags, status), Buffer.alloc(12)]);
  const messages = [...madeMessages('dubbo', 1), ['question', header(0xe2, 0)], ['answer', header(0x22, 20)]] as const;
  const lines = byReader(messages, {
    length: [dubboLength, 16, 16],
    begins: [dubboBegins, 16, 16],
    likeness: [dubboLikeness, 1, 16],
  });
  lines.push(byNumber('length', (length) => judged(dubboLength, withNumber(header(0xc2, 0), 12, 4, length))));
  await expectLines('dubbo', lines);
});
