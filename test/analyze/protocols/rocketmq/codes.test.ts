import { expect, test } from 'vitest';
import { ORDINARY, REQUESTS, RESPONSES, SHORT_NAMES } from '../../../../src/analyze/protocols/rocketmq/codes.ts';

test('answers that there is nothing are no failures, all others but SUCCESS are', () => {
  expect([...ORDINARY].map((code) => RESPONSES.get(code)).sort()).toEqual([
    'POLLING_FULL',
    'POLLING_TIMEOUT',
    'PULL_NOT_FOUND',
    'PULL_OFFSET_MOVED',
    'PULL_RETRY_IMMEDIATELY',
    'QUERY_NOT_FOUND',
    'SUCCESS',
  ]);
});

test('the requests whose fields have short names', () => {
  expect([...SHORT_NAMES].map((code) => REQUESTS.get(code))).toEqual([
    'SEND_MESSAGE_V2',
    'SEND_BATCH_MESSAGE',
    'SEND_REPLY_MESSAGE_V2',
  ]);
});
