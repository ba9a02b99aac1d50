import { KsnoopError } from '../../wire/errors.ts';
import { recordFields } from '../protocols/all-fields.ts';
import { compileWhere, type Where } from './where.ts';

/** Fields that come from the API server's objects, or from names in a capture: a node has neither. */
const NAMED = /^(src|dst)\.(pod|service|namespace|node|name|cluster)$/;

/**
 * Compile the expression of a trigger, as `--where` is compiled, for a node: it cannot look at names of pods and Services.
 * @param name of the expression in messages; left out: the trigger with its text
 * @throws KsnoopError BAD_TRIGGER naming what cannot be evaluated
 */
export function compileNodeWhere(text: string, name = `The trigger ${JSON.stringify(text.slice(0, 200))}`): Where {
  const all = recordFields();
  compiled(() => compileWhere(text, all, name));
  // What is in quotes is text.
  const code = text.replaceAll(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '""');
  const named = code.match(/\b(?:src|dst)\s*\.\s*(?:pod|service|namespace|node|name|cluster)\b/g) ?? [];
  if (named.length > 0 || /\b(?:src|dst)\s*\[/.test(code)) throw unknown([...new Set(named)]);
  const known = Object.fromEntries(Object.entries(all).filter(([path]) => !NAMED.test(path)));
  try {
    return compileWhere(text, known);
  } catch {
    throw unknown([]);
  }
}

/** @param named the fields in question; src or dst as a whole where there are none */
function unknown(named: readonly string[]): KsnoopError {
  const what = named.length > 0 ? named.join(', ') : 'src or dst as a whole';
  return new KsnoopError('BAD_TRIGGER', `A trigger cannot look at ${what}: a node knows no names for addresses.`, {
    hint: 'Choose the pods by the targets of the recording; src.ip, dst.ip and interface ("shop/web-1/any") are known.',
  });
}

function compiled<Result>(compile: () => Result): Result {
  try {
    return compile();
  } catch (thrown) {
    if (!(thrown instanceof KsnoopError)) throw thrown;
    throw new KsnoopError('BAD_TRIGGER', thrown.message, { hint: thrown.hint });
  }
}
