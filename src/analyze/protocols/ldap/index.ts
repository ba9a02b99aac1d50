import type { StreamProtocol } from '../protocol.ts';
import { LdapConnection } from './connection.ts';
import { ldapLikeness } from './message.ts';

/** LDAP (RFC 4511), with StartTLS. */
export const ldap: StreamProtocol = {
  name: 'ldap',
  title: 'LDAP',
  ports: [389, 3268],
  fields: {
    'ldap.operation': { type: 'string', about: 'operation: `search`, `bind`, `modify`, `extended`' },
    'ldap.name': { type: 'string', about: 'distinguished name that it is about; name of an extended operation' },
    'ldap.scope': { type: 'string', about: 'scope of a search: `base`, `one`, `sub`' },
    'ldap.mechanism': {
      type: 'string',
      about: 'how a bind authenticates: `simple`, `anonymous`, or the SASL mechanism',
    },
    'ldap.entries': { type: 'int', about: 'entries that a search found' },
    'ldap.code': { type: 'int', about: 'result code' },
    'ldap.message': { type: 'string', about: "the server's diagnostic message" },
  },
  probe: ldapLikeness,
  create: (context) => new LdapConnection(context),
};
