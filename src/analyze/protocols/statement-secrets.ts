import { MASK } from '../record/mask.ts';
import { isSecretEntry, isSecretName } from '../record/secret-names.ts';
import { maskText } from '../record/secrets.ts';

/** Words without which no statement holds a secret, and values without columns: all others are not looked through. */
const HINT =
  /[^)\s]\s{1,64}values?\s{0,64}\(|(?:value|val)[`"]?\s{0,64}=|into\s{1,64}[^\s(]{1,128}\s{1,64}select\b|pass|pwd|\bpw\b|\bpin\b|otp|cvv|secret|token|identified|_?key|signature|jwt|crypt|hmac|md5|sha\d|digest|:\/\/|eyJ|authorization/i;

/** Blank, comment, literal (also `E'…'`, `U&'…'`, `_utf8'…'`, `$tag$…$tag$`), name in quotes, word, placeholder, number. */
const TOKEN =
  /(\s+|--[^\n]*|#(?![>-])[^\n]*|\/\*(?!M?!)[\s\S]*?(?:\*\/|$))|((?:\b(?:[ebnx]|u&|_\w+)\s*)?'(?:[^'\\]|''|\\[\s\S])*(?:'|\\?$)|"(?:[^"\\]|""|\\[\s\S])*(?:"|\\?$)|\$(\w*)\$[\s\S]*?(?:\$\3\$|$)|\b0x[\da-f]+\b|\b\d[\w.]*)|(`[^`]*`?|[a-z_@][\w$@.-]*)|(=>|:=|[^\s])/giy;

/** Functions whose texts are passwords or keys. */
const CRYPT =
  /^(?:crypt|encrypt|decrypt|aes_(?:en|de)crypt|des_(?:en|de)crypt|encode|decode|hmac|digest|md5|sha\d{0,3}|pgp_sym_\w+|(?:old_)?password)$/i;
/** Columns that hold values of rows of names and values; functions that take a variable's name and its value. */
const HOLDING = /^(?:\w{1,32}_)?(?:value|val)$/;
const SETTERS = /^(?:set_config|set_var|sp_set_session_context)$/;
/** Between the word that announces a secret and the secret. */
const BETWEEN = new Set([
  '=',
  '=>',
  ':=',
  '(',
  ':',
  '|',
  'by',
  'as',
  'using',
  'is',
  'to',
  'like',
  'in',
  'not',
  '<',
  '>',
  '!',
  'between',
]);

/** A literal that was not cut. */
const WHOLE = /^\d|.['"$]$/s;
const NUMBER = /^\d[\d.]*(?:e\d+)?$/i;

/** The secrets of a statement, masked. Names' values, what follows IDENTIFIED BY, columns of INSERT, crypt() and its like. */
export function maskStatement(sql: string): string {
  return HINT.test(sql) ? new Masker(sql).text : sql;
}

/** An error's text, without what of the statement was masked: servers quote what they do not understand. */
export function maskQuoted(text: string, sql: string): string {
  let masked = maskText(text);
  if (!HINT.test(sql)) return masked;
  for (const secret of new Masker(sql).secrets.sort((a, b) => b.length - a.length))
    masked = masked.replaceAll(secret, MASK);
  return masked;
}

/** Goes through a statement once, word by word. */
class Masker {
  readonly #pieces: string[] = [];
  /** What was masked, without its quotes. */
  readonly secrets: string[] = [];
  /** The next literal is a secret; so are all in these brackets. */
  #armed = false;
  #list = 0;
  #depth = 0;
  /** Behind IDENTIFIED: BY, AS, USING and REPLACE announce secrets. */
  #identified = false;
  /** `SET PASSWORD FOR` names users before it comes to the password. */
  #named = false;
  #last = '';
  /** Of an INSERT: which columns are secrets, at which one is looked, and whether the values have begun. */
  #columns: boolean[] | undefined;
  #column = 0;
  #values = false;
  /** Brackets around the INSERT or REPLACE that has begun; its values without columns do not show what they hold. */
  #insertDepth = -1;
  #unnamed = false;
  /** Brackets that the values are in: none after SELECT. */
  #valuesDepth = 1;
  /** Which piece the last literal is, and whether only an operator came since: `'x' = password`. */
  #literalAt = -1;
  #literalText = '';
  #compared = false;
  /** The last literal was a secret: so is one that is joined to it, and the other end of BETWEEN. */
  #joined = false;
  #between = false;
  /** Of a row of names and values: which piece its value is, and that its name is a secret's. */
  #valueAt = -1;
  #valueText = '';
  #isNamed = false;
  /** Which columns of the INSERT hold values of such rows. */
  #holding: boolean[] = [];
  /** The word before was such a column, and only a comparison came since. */
  #compares = false;
  /** Of an UPDATE: between SET and WHERE; behind WHERE; and the pieces of such values while nothing has said of which row. */
  #setting = false;
  #where = false;
  #ofUnknownRow: { readonly at: number; readonly literal: string }[] = [];
  /** In the call of a function that sets a variable. */
  #sets = false;
  /** In the CASE that gives a secret. */
  #cases = false;
  /** The word after `::` is a type. */
  #colon = false;
  #cast = false;

  constructor(sql: string) {
    TOKEN.lastIndex = 0;
    for (let found = TOKEN.exec(sql); found !== null; found = TOKEN.exec(sql)) {
      const [whole, blank, literal, , word] = found;
      if (blank !== undefined) this.#pieces.push(maskText(whole));
      else if (literal !== undefined) this.#literal(literal, sql[TOKEN.lastIndex] ?? '');
      else if (word !== undefined) this.#word(word, sql[TOKEN.lastIndex] === '(');
      else this.#mark(whole);
    }
    this.#hideUnknownRow();
  }

  get text(): string {
    return this.#pieces.join('');
  }

  #literal(literal: string, next: string): void {
    this.#colon = false;
    this.#cast = false;
    const isName = literal.startsWith('"') && (next === '.' || this.#naming);
    if (isName) {
      this.#word(literal, false);
      return;
    }
    this.#literalAt = this.#pieces.length;
    this.#literalText = literal;
    this.#compared = false;
    const inColumn = this.#values && this.#depth >= this.#valuesDepth && this.#isSecretColumn();
    const ofRow = this.#ofRow(literal);
    const inUnnamed = this.#unnamed && !NUMBER.test(literal);
    const secret = this.#armed || this.#joined || this.#cases || this.#list > 0 || inColumn || ofRow || inUnnamed;
    this.#joined = secret && !inUnnamed;
    if (secret) {
      this.#hidden(literal);
      this.#pieces.push(MASK);
    } else this.#pieces.push(maskText(literal));
    if (this.#where && WHOLE.test(literal)) this.#rowKnown();
    this.#armed = false;
    // In quotes it may be a column's name: "password" = 'x'.
    if (literal.startsWith('"') && isSecretName(literal.slice(1, -1))) this.#armed = true;
    this.#last = '';
  }

  /**
   * Rows of names and values, as settings are stored: `('smtp_password', 'x')`, `SET value = 'x' WHERE name = 'smtp_password'`,
   * `WHERE name = 'smtp_password' AND value = 'x'`.
   * @returns whether the literal is the value of a secret's name that came before; one that came first is masked now
   */
  #ofRow(literal: string): boolean {
    const inHolding = this.#values ? this.#holding[this.#column] === true : this.#compares;
    if (inHolding || this.#sets) {
      if (this.#isNamed) return true;
      this.#valueAt = this.#pieces.length;
      this.#valueText = literal;
      if (this.#setting && this.#compares) this.#ofUnknownRow.push({ at: this.#valueAt, literal });
    }
    if (!/^n?'/i.test(literal) || !isSecretEntry(literal.slice(literal.indexOf("'") + 1, -1))) return false;
    this.#isNamed = true;
    if (this.#valueAt < 0 || this.#valueAt === this.#pieces.length) return false;
    this.#hidden(this.#valueText);
    this.#pieces[this.#valueAt] = MASK;
    return false;
  }

  #rowKnown(): void {
    this.#ofUnknownRow = [];
  }

  /** The statement was cut, or changes all rows: what it sets may be a secret. */
  #hideUnknownRow(): void {
    for (const { at, literal } of this.#ofUnknownRow) {
      this.#hidden(literal);
      this.#pieces[at] = MASK;
    }
    this.#ofUnknownRow = [];
    this.#setting = false;
    this.#where = false;
  }

  #endRow(): void {
    this.#valueAt = -1;
    this.#isNamed = false;
    this.#sets = false;
  }

  /** A literal is masked: an error may repeat it. */
  #hidden(literal: string): void {
    const bare = literal.replace(/^(?:\w|u&|_\w+)?\s*(['"])([\s\S]*?)\1?$/i, '$2').replace(/^\$\w*\$|\$\w*\$$/g, '');
    if (bare.length > 2) this.secrets.push(bare);
  }

  /** In the brackets behind INSERT INTO and a table. */
  get #naming(): boolean {
    return this.#columns !== undefined && !this.#values;
  }

  #isSecretColumn(): boolean {
    return this.#columns?.[this.#column] === true;
  }

  /** @param called a bracket follows: it is a function's name */
  #word(word: string, called: boolean): void {
    const lower = word.toLowerCase().replace(/^[`"]|[`"]$/g, '');
    // The other way round: the literal before it is compared with it.
    if (this.#compared && isSecretName(lower)) {
      this.#hidden(this.#literalText);
      this.#pieces[this.#literalAt] = MASK;
    }
    // 'x' AS password
    this.#compared = lower === 'as' && this.#literalAt >= 0;
    if (!this.#compared) this.#literalAt = -1;
    this.#pieces.push(word);
    const joined = this.#joined;
    this.#joined = false;
    this.#colon = false;
    if (this.#cast) {
      this.#cast = false;
      return;
    }
    const before = this.#last;
    this.#last = lower;
    if ((lower === 'insert' || lower === 'replace') && !called) {
      this.#insertDepth = this.#depth;
      this.#values = false;
      this.#columns = [];
    }
    if (lower === 'into') {
      this.#columns = [];
      this.#holding = [];
    }
    this.#compares = !called && HOLDING.test(lower);
    if (lower === 'set') this.#setting = true;
    else if (lower === 'where') {
      this.#setting = false;
      this.#where = true;
    } else if (this.#where && lower.startsWith('@')) this.#rowKnown();
    const isColumn = this.#naming && this.#depth === Math.max(0, this.#insertDepth) + 1;
    if (isColumn) {
      this.#columns?.push(isSecretName(lower));
      this.#holding.push(HOLDING.test(lower));
    } else if (lower === 'values' || lower === 'value' || lower === 'select') {
      this.#unnamed = this.#depth === this.#insertDepth && !this.#values && this.#columns?.length === 0;
      if (lower !== 'value' || this.#unnamed) this.#values = this.#columns !== undefined;
      this.#valuesDepth = lower === 'values' ? this.#depth + 1 : this.#depth;
      this.#column = 0;
    } else if (lower === 'from') {
      this.#values = false;
      this.#unnamed = false;
      this.#columns = undefined;
    } else if (lower === 'on' || lower === 'returning') this.#unnamed = false;
    if (lower === 'case' && this.#armed) this.#cases = true;
    else if (lower === 'end') this.#cases = false;
    if (lower === 'between' && this.#armed) this.#between = true;
    if (lower === 'and' && this.#between && joined) {
      this.#between = false;
      this.#armed = true;
    } else if (lower === 'identified') this.#identified = true;
    else if (this.#identified && /^(?:by|as|using|replace)$/.test(lower)) this.#armed = true;
    else if (lower === 'for' && /passw(?:or)?d$/.test(before)) {
      this.#armed = false;
      this.#named = true;
    } else if (isSecretName(lower)) this.#armed = true;
    // The value may come through a function: COALESCE('x', …), UPPER('x').
    else if (!BETWEEN.has(lower) && !(called && before === '')) this.#armed = false;
  }

  #mark(mark: string): void {
    this.#pieces.push(mark);
    this.#compared = this.#literalAt >= 0 && mark === '=';
    if (!this.#compared) this.#literalAt = -1;
    if (mark !== '=') this.#compares = false;
    if (mark !== '|') this.#joined = false;
    if (this.#where && (mark === '?' || mark === ':')) this.#rowKnown();
    if (mark === ':') {
      this.#cast = this.#colon;
      this.#colon = true;
      return;
    }
    this.#colon = false;
    if (mark === '(') {
      if (SETTERS.test(this.#last)) this.#sets = true;
      if (CRYPT.test(this.#last) || this.#armed) this.#list = Math.max(this.#list, this.#depth + 1);
      this.#depth += 1;
      if (this.#values && this.#depth === this.#valuesDepth) this.#column = 0;
    } else if (mark === ')') {
      this.#depth = Math.max(0, this.#depth - 1);
      if (this.#sets || this.#values) this.#endRow();
      if (this.#depth < this.#list) this.#list = 0;
      // lower(password) = 'x', (name, password) = ('a', 'x')
      this.#armed = isSecretName(this.#last);
    } else if (mark === ',' && this.#depth === this.#valuesDepth) {
      this.#column += 1;
      this.#armed = false;
    } else if (mark === ';') {
      this.#identified = false;
      this.#named = false;
      this.#endRow();
      this.#hideUnknownRow();
      this.#columns = undefined;
      this.#values = false;
      this.#insertDepth = -1;
      this.#unnamed = false;
      this.#armed = false;
    } else if (mark === '=' && this.#named) {
      this.#named = false;
      this.#armed = true;
    } else if (!BETWEEN.has(mark)) this.#armed = false;
    if (mark !== '(') this.#last = '';
  }
}
