/** What of a target's surroundings is captured, each with those before it. */
export const SCOPES = ['target', 'clients', 'surroundings'] as const;
export type Scope = (typeof SCOPES)[number];
