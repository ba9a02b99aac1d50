/** Bytes of the columns of one batch, before they are compressed. */
export const COLUMNS_MAXIMUM = 4 * 1024 * 1024;

/** Characters of the JSON texts of one batch, and how many they are. */
export const BATCH_CHARACTERS_MAXIMUM = 4 * 1024 * 1024;
export const BATCH_TEXTS_MAXIMUM = 65_536;

/** What both sides remember: templates, their slots and their characters. Past these they begin anew. */
export const TEMPLATES_MAXIMUM = 1_024;
export const TEMPLATE_SLOTS_MAXIMUM = 16_384;
export const TEMPLATE_CHARACTERS_MAXIMUM = 1024 * 1024;

/** Strings that both sides remember, and how long each is at most: what is longer seldom comes again. */
export const STRINGS_REMEMBERED = 4_096;
export const STRING_REMEMBERED_CHARACTERS = 128;
