import { KsnoopError } from '../../wire/errors.ts';

/** How a flow is shown: decoded, its bytes as rows of hex and ASCII, or as hex alone. */
export const STREAM_FORMS = ['decoded', 'hex', 'raw'] as const;
export type StreamForm = (typeof STREAM_FORMS)[number];

const ARGUMENT = /^(\d{1,10})(?:,(decoded|hex|raw))?$/;

/**
 * Which flow is shown, and how: `7`, `7,hex`.
 * @throws KsnoopError USAGE
 */
export function streamArgument(text: string): { readonly flow: number; readonly form: StreamForm } {
  const match = ARGUMENT.exec(text);
  if (match === null) {
    throw new KsnoopError('USAGE', `-o stream takes the number of a flow, not "${text}".`, {
      hint: 'For example -o stream=7, stream=7,hex or stream=7,raw. -o flows shows the numbers.',
    });
  }
  const [, flow, form] = match;
  return { flow: Number(flow), form: STREAM_FORMS.find((each) => each === form) ?? 'decoded' };
}
