import { MASK } from './mask.ts';
import { withoutContainers } from './secret-containers.ts';
import { maskYaml } from './yaml-secrets.ts';

/** A Secret, also within another text, in JSON or YAML. */
const KIND = /\bkind\\{0,8}["']?[ \t\r\n]{0,8}:[ \t\r\n]{0,8}\\{0,8}["']?Secret(?:List)?(?![\w-])/;
/** kubectl writes members by name: `kind` is behind `data`, and not there when the text is cut. */
const VERSION = /^\s{0,8}\{\s{0,8}"apiVersion"\s{0,8}:\s{0,8}"v1"/;
const ANY_KIND = /"kind"/;
const DATA = /(?<![\w-])(?:data|stringData)(\\{0,8})["']?[ \t\r\n]{0,8}:[ \t\r\n]{0,8}[{]/g;
const STRING_DATA = /(?<![\w-])stringData(\\{0,8})["']?[ \t\r\n]{0,8}:[ \t\r\n]{0,8}[{]/g;

/** Whether a text holds a Secret of Kubernetes (also beside other objects: it does not tell their data apart). */
export function holdsSecret(text: string): boolean {
  return (text.includes('Secret') && KIND.test(text)) || (VERSION.test(text) && !ANY_KIND.test(text));
}

/** Mask data and stringData of Secrets. @param isSecret the text holds one, as `holdsSecret` or its path tells */
export function maskSecretData(text: string, isSecret: boolean): string {
  if (isSecret) return withoutContainers(text, DATA);
  return text.includes('stringData') ? withoutContainers(text, STRING_DATA) : text;
}

const PATH = /^\/api\/v1\/(?:watch\/)?(?:namespaces\/[^/?]{1,253}\/)?secrets(?:[/?]|$)/;

/** Whether the API server's objects at this path are Secrets. @param target with its query */
export function isSecretPath(target: string): boolean {
  return PATH.test(target);
}

/** Values of a JSON patch (RFC 6902). */
const PATCHED = /("value"[ \t\r\n]{0,8}:[ \t\r\n]{0,8})(?:"(?:[^"\\]|\\.)*"?|(?=[{[])[^\]}]*)/g;

/** What is sent to or from the path of Secrets, whole objects or patches: their data masked. */
export function maskSecretBody(text: string): string {
  return maskYaml(maskSecretData(text, true), true).replace(PATCHED, `$1${MASK}`);
}
