import { isSecretPath, maskSecretBody } from '../../record/kubernetes-secret.ts';
import { MASK } from '../../record/mask.ts';
import { isSecretParameter } from '../../record/secret-names.ts';
import { maskTarget } from '../../record/secrets.ts';

const IS_FORM = /^application\/x-www-form-urlencoded\b/i;
const BOUNDARY = /^multipart\/.*;[ \t]*boundary=(?:"([^"]{1,200})"|([^\s";]{1,200}))/i;
/** The name of a part in its Content-Disposition (RFC 7578, section 4.2); `filename` is another parameter. */
const PART_NAME = /;[ \t]*name=(?:"([^"]*)"|([^\s;]*))/i;

/**
 * Mask the secrets that the form of a body gives away by a name: those of HTML forms, in both encodings; and those of Secrets
 * by the path of their request. Others stay.
 * @param target of the request, with its query; empty where it is not known
 */
export function maskBody(text: string, contentType: string, target = ''): string {
  if (isSecretPath(target)) return maskSecretBody(text);
  if (IS_FORM.test(contentType)) return text.split('&').map(maskPair).join('&');
  const boundary = BOUNDARY.exec(contentType);
  if (boundary === null) return text;
  const delimiter = `--${boundary[1] ?? boundary[2]}`;
  return text.split(delimiter).map(maskPart).join(delimiter);
}

/** A value lasts up to the next `&`: curl -d sends spaces as they are. */
function maskPair(pair: string): string {
  const end = pair.indexOf('=');
  if (end > 0 && isSecretParameter(pair.slice(0, end).trim())) return `${pair.slice(0, end)}=${MASK}`;
  return maskTarget(`?${pair}`).slice(1);
}

/** Header fields, an empty line, the value. */
function maskPart(part: string): string {
  const empty = /\r?\n\r?\n/.exec(part);
  if (empty === null) return part;
  const start = empty.index + empty[0].length;
  const name = PART_NAME.exec(part.slice(0, empty.index));
  if (name === null || !isSecretParameter(name[1] ?? name[2] ?? '')) return part;
  const lineEnd = /\r?\n$/.exec(part)?.[0] ?? '';
  return part.slice(0, start) + MASK + lineEnd;
}
