/** How an output is made where nobody asked for anything else: no colour, no terminal, everything shown, secrets not. */
export const PLAIN = { colour: false, width: undefined, json: false, where: undefined, showSecrets: false } as const;
