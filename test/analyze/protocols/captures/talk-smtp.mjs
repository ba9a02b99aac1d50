// A server (smtp-server) or a client (nodemailer) of SMTP: talk-smtp.mjs DIRECTORY [serve].
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

const require = createRequire(join(resolve(process.argv[2]), 'package.json'));
const PORT = 2525;

if (process.argv[3] === 'serve') {
  const { SMTPServer } = require('smtp-server');
  const server = new SMTPServer({
    banner: 'ready',
    name: 'mail.test',
    disableReverseLookup: true,
    size: 4000,
    authOptional: true,
    allowInsecureAuth: true,
    onAuth: ({ password }, _session, done) =>
      password === 'hunter2-right' ? done(null, { user: 'web' }) : done(new Error('Invalid username or password')),
    onRcptTo: ({ address }, _session, done) =>
      address.startsWith('nobody') ? done(Object.assign(new Error('unknown user'), { responseCode: 550 })) : done(),
    onData: (stream, _session, done) => {
      stream.resume();
      stream.on('end', () => done(null, 'queued as 7'));
    },
  });
  server.listen(PORT, '127.0.0.1');
} else {
  const { createTransport } = require('nodemailer');
  const common = { host: '127.0.0.1', port: PORT, name: 'web.test', tls: { rejectUnauthorized: false } };
  const mail = { from: 'a@b.test', to: 'c@d.test', subject: 'hunter2-subject', text: '.\nhunter2-body\n..\n' };
  const send = async (options, more = {}) => {
    const transport = createTransport({ ...common, ...options });
    await transport.sendMail({ ...mail, ...more }).catch((error) => console.log(error.message));
    transport.close();
  };
  await send({ ignoreTLS: true });
  await send({ ignoreTLS: true, auth: { user: 'web', pass: 'hunter2-right' } }, { to: ['c@d.test', 'nobody@d.test'] });
  await send({ ignoreTLS: true, auth: { user: 'web', pass: 'hunter2-wrong' } });
  await send({ ignoreTLS: true }, { to: 'nobody@d.test' });
  await send({ requireTLS: true });
}
