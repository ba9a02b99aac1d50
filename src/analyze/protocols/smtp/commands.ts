import { maskText } from '../../record/secrets.ts';
import { oneLine } from '../one-line.ts';

/** Commands of RFC 5321 and of extensions in use. Of others only the verb is shown: they may have secrets. */
const VERBS: ReadonlySet<string> = new Set([
  'EHLO',
  'HELO',
  'LHLO',
  'MAIL',
  'RCPT',
  'DATA',
  'BDAT',
  'RSET',
  'NOOP',
  'QUIT',
  'VRFY',
  'EXPN',
  'HELP',
  'AUTH',
  'STARTTLS',
  'ETRN',
  'TURN',
  'ATRN',
  'BURL',
  'XCLIENT',
  'XFORWARD',
]);

/** What a client's line says. */
export interface SmtpCommand {
  /** In capitals. */
  readonly verb: string;
  readonly label: string;
  /** The address of MAIL or RCPT, the name of EHLO, the mechanism of AUTH. */
  readonly argument: string | undefined;
  /** Of BDAT: bytes that follow (RFC 3030). */
  readonly chunk: number;
}

const LINE = /^([A-Za-z]{3,16})(?:[ \t]+(.*))?$/;
const ADDRESS = /^(?:FROM|TO):[ \t]*(<[^<>]*>)/i;

/** @returns undefined for what is no command's line */
export function smtpCommand(line: string, showSecrets: boolean): SmtpCommand | undefined {
  const [, word = '', rest = ''] = LINE.exec(line.replace(/[ \t]*\r?\n$/, '')) ?? [];
  if (word === '') return undefined;
  const verb = word.toUpperCase();
  const argument = argumentOf(verb, rest, showSecrets);
  const text = verb === 'MAIL' ? ` FROM:${argument}` : verb === 'RCPT' ? ` TO:${argument}` : ` ${argument}`;
  const chunk = verb === 'BDAT' ? Number(/^\d{1,10}/.exec(rest)?.[0] ?? 0) : 0;
  return { verb, label: argument === undefined ? verb : `${verb}${text}`, argument, chunk };
}

/** Whether a verb is one that is known here. */
export function isVerb(verb: string): boolean {
  return VERBS.has(verb);
}

function argumentOf(verb: string, rest: string, showSecrets: boolean): string | undefined {
  const plain = (text: string) => {
    const read = oneLine(Buffer.from(text, 'latin1').toString());
    return showSecrets ? read : maskText(read);
  };
  switch (verb) {
    case 'MAIL':
    case 'RCPT': {
      const address = ADDRESS.exec(rest)?.[1];
      return address === undefined ? undefined : plain(address);
    }
    case 'EHLO':
    case 'HELO':
    case 'LHLO':
      return rest === '' ? undefined : plain(rest);
    case 'AUTH':
      return /^[A-Za-z0-9_-]{1,20}(?=\s|$)/.exec(rest)?.[0].toUpperCase();
    default:
      return undefined;
  }
}
