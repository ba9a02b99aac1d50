import type { StreamProtocol } from '../protocol.ts';
import { SmtpConnection } from './connection.ts';
import { smtpLikeness } from './probe.ts';

/** SMTP (RFC 5321): commands and messages with their replies; STARTTLS hands over to TLS. */
export const smtp: StreamProtocol = {
  name: 'smtp',
  title: 'SMTP',
  ports: [25, 587, 2525],
  // FTP has 421 and 220 too.
  notOn: [21],
  fields: {
    'smtp.command': {
      type: 'string',
      about: 'verb of the command, `RCPT`; `message` for what follows DATA, `AUTH response` for what follows AUTH',
    },
    'smtp.argument': { type: 'string', about: "MAIL's and RCPT's address, EHLO's name, AUTH's mechanism" },
    'smtp.code': { type: 'int', about: 'code of the reply' },
    'smtp.text': { type: 'string', about: "the reply's text, first line" },
  },
  probe: smtpLikeness,
  create: (context) => new SmtpConnection(context),
};
