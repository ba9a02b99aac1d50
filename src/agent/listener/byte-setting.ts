/**
 * A number of bytes that an administrator sets in the environment of the agent.
 * @param text of the variable; undefined where it is not set
 * @param log takes a message about a text that is no number of bytes: the agent runs with its default then
 * @returns undefined: the default
 */
export function byteSetting(name: string, text: string | undefined, log: (text: string) => void): number | undefined {
  if (text === undefined) return undefined;
  const bytes = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(bytes)) return bytes;
  log(`${name} takes a number of bytes, such as 6442450944, not "${text.slice(0, 64)}": the default is used`);
  return undefined;
}
