import type { StreamProtocol } from '../protocol.ts';
import { FastcgiConnection } from './connection.ts';
import { fastcgiLikeness } from './record.ts';

/** FastCGI (specification 1.0): what a web server asks a program such as PHP-FPM. */
export const fastcgi: StreamProtocol = {
  name: 'fastcgi',
  title: 'FastCGI',
  ports: [9000],
  fields: {
    'fastcgi.method': { type: 'string', about: 'REQUEST_METHOD, `GET`' },
    'fastcgi.path': { type: 'string', about: 'REQUEST_URI as sent, secrets in its query masked' },
    'fastcgi.host': { type: 'string', about: 'HTTP_HOST' },
    'fastcgi.script': { type: 'string', about: 'SCRIPT_FILENAME' },
    'fastcgi.status': { type: 'int', about: "the response's Status; 200 where it has none" },
    'fastcgi.error': { type: 'string', about: "first line of the program's error stream, secrets masked" },
    'fastcgi.appStatus': { type: 'int', about: 'what the program returned, where that is not 0' },
    'fastcgi.requestId': { type: 'int', about: 'what pairs request and response' },
  },
  probe: fastcgiLikeness,
  create: (context) => new FastcgiConnection(context),
};
