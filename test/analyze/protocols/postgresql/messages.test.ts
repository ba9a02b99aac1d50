import { test } from 'vitest';
import {
  errorFields,
  isClientType,
  isServerType,
  rowsOf,
  startupParameters,
  textAt,
  textEnd,
  typedLength,
} from '../../../../src/analyze/protocols/postgresql/messages.ts';
import { byNumber, byReader, expectLines, judged, withNumber } from '../../../support/by-byte.ts';

test('what startups and errors hold, cut anywhere and with any byte changed; types, lengths and tags', async () => {
  const bytes = Array.from({ length: 256 }, (_, value) => value);
  const lines = [
    ...byReader(
      [
        ['user and database', Buffer.from('user\0shop\0database\0orders\0\0')],
        ['user alone', Buffer.from('application_name\0psql\0user\0shop\0\0rest')],
      ],
      { parameters: [startupParameters, 1, 30], text: [textAt, 1, 8], 'text end': [textEnd, 1, 8] },
    ),
    ...byReader(
      [
        ['error', Buffer.from('SFEHLER\0VERROR\0C42P01\0Mno such table\0\0Mnot read\0')],
        ['old error', Buffer.from('SFATAL\0C57P03\0Mstarting up\0\0')],
      ],
      { error: [errorFields, 1, 32] },
    ),
    byNumber('type of a client', isClientType, bytes),
    byNumber('type of a server', isServerType, bytes),
    byNumber('length', (length) => judged(typedLength, withNumber(Buffer.from('Q\0\0\0\x09test\0'), 1, 4, length))),
  ];
  const tags = [
    'SELECT 5',
    'INSERT 0 12',
    'UPDATE 0',
    'DELETE 7',
    'MERGE 1',
    'FETCH 2',
    'MOVE 3',
    'COPY 4',
    'INSERT 5',
    'BEGIN',
  ];
  for (const tag of [...tags, 'SELECT', 'SELECT 5 6', ' SELECT 5', 'CREATE TABLE'])
    lines.push(`rows of ${tag}: ${rowsOf(tag)}`);
  await expectLines('postgresql-messages', lines);
});
