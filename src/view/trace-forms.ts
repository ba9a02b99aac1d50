/** What may stand behind `-o trace=`. */
export const TRACE_FORMS = ['lines', 'summary'] as const;
