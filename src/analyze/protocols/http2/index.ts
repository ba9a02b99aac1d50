import type { StreamProtocol } from '../protocol.ts';
import { Http2Connection } from './connection.ts';
import { http2Likeness } from './preface.ts';
import type { UpgradedRequest } from './stream.ts';

/** HTTP/2 (RFC 9113) in clear, and gRPC in it: from a client's preface, a server's settings or an upgrade on. */
export const http2: StreamProtocol = {
  name: 'http2',
  title: 'HTTP/2',
  ports: [50_051],
  // What is not gRPC is reported as HTTP.
  records: ['grpc'],
  fields: {
    'grpc.service': { type: 'string', about: 'service with its package: `shop.Cart`' },
    'grpc.method': { type: 'string', about: 'method: `Add`' },
    'grpc.status': { type: 'string', about: 'status by name: `OK`, `NOT_FOUND`' },
    'grpc.message': { type: 'string', about: "the server's words with the status" },
    'grpc.timeout': { type: 'duration', about: "deadline that the client set, from the request's start" },
    'grpc.resetAfter': { type: 'duration', about: "when a call with a deadline was reset, from the request's start" },
    'grpc.requests': { type: 'int', about: 'messages the client sent' },
    'grpc.responses': { type: 'int', about: 'messages the server sent' },
    'grpc.type': { type: 'string', about: '`streaming` when either side sent more than one message, else `unary`' },
  },
  probe: http2Likeness,
  create: (context) => new Http2Connection(context),
};

/** HTTP/2 behind an upgrade from HTTP/1.1 (RFC 7540, section 3.2): the request that asked for it is its stream 1. */
export function http2After(request: UpgradedRequest): StreamProtocol {
  return { ...http2, create: (context) => new Http2Connection(context, request) };
}
