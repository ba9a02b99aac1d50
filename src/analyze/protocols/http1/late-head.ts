import { maskTarget } from '../../record/secrets.ts';
import { Head } from './head.ts';

const head = new Head();

/** What a head that was kept as it came shows to those who look. @param text each byte one character */
export function lateHead(text: string, showSecrets: boolean) {
  const bytes = Buffer.from(text, 'latin1');
  head.read(bytes, 0, bytes.length, true, showSecrets, false);
  const { host, reason, contentType, fields } = head;
  return { host: showSecrets || host === '' ? host : maskTarget(host), reason, contentType, fields };
}
