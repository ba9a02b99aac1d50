import type { StreamProtocol } from '../protocol.ts';
import { MongodbConnection } from './connection.ts';
import { mongodbLikeness } from './message.ts';

/** MongoDB's wire protocol: OP_MSG, OP_QUERY and OP_REPLY, and OP_COMPRESSED by zlib or zstd. */
export const mongodb: StreamProtocol = {
  name: 'mongodb',
  title: 'MongoDB',
  ports: [27017, 27018, 27019],
  fields: {
    'mongodb.command': { type: 'string', about: 'name of the command, `find`; absent where compression hides it' },
    'mongodb.database': { type: 'string', about: 'name of the database' },
    'mongodb.collection': { type: 'string', about: 'name of the collection, where the command is about one' },
    'mongodb.error': { type: 'string', about: "the error's text, or the first write error's" },
    'mongodb.code': { type: 'int', about: "the error's code, or the first write error's" },
    'mongodb.codeName': { type: 'string', about: "the error code's name" },
    'mongodb.mechanism': { type: 'string', about: 'mechanism of an authentication' },
    'mongodb.compressor': { type: 'string', about: 'what the request was compressed with' },
  },
  probe: mongodbLikeness,
  create: (context) => new MongodbConnection(context),
};
