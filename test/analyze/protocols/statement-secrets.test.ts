import { expect, test } from 'vitest';
import { maskQuoted, maskStatement } from '../../../src/analyze/protocols/statement-secrets.ts';
import { MASK } from '../../../src/analyze/record/mask.ts';
import { Random } from '../../support/random.ts';

/** Statements of PostgreSQL, MySQL, SQL Server and Oracle; what stands in ‹› is a secret, and all else stays. */
const STATEMENTS = [
  "SELECT id FROM users WHERE name = 'open' AND password = ‹'hush'› AND city = 'open'",
  "SELECT id FROM users WHERE password <> ‹'hush'› OR city <> 'open'",
  "SELECT id FROM users WHERE ‹'hush'› = password AND 'open' = city",
  "SELECT id FROM users WHERE ‹'hush'› = u.api_key",
  "SELECT ‹'hush'› AS password, 'open' AS city",
  'SELECT id FROM users WHERE "password" = ‹\'hush\'› AND "city" = \'open\'',
  "SELECT id FROM users WHERE `password` = ‹'hush'› AND `city` = 'open'",
  "SELECT id FROM users WHERE lower(password) = ‹'hush'› AND lower(city) = 'open'",
  "SELECT id FROM users WHERE password IN (‹'hush'›, ‹'hash'›) AND city IN ('open', 'shut')",
  "SELECT id FROM users WHERE password NOT LIKE ‹'hush'› AND city NOT LIKE 'open'",
  "SELECT id FROM users WHERE password BETWEEN ‹'hush'› AND ‹'hash'› AND city BETWEEN 'open' AND 'shut'",
  "SELECT id FROM users WHERE password = ‹'hush'› || ‹'hash'› AND city = 'open' || 'shut'",
  "SELECT id FROM users WHERE password::text = ‹'hush'› AND city::text = 'open'",
  "SELECT 'open'::secret, city FROM users",
  "SELECT id FROM users WHERE password = COALESCE(‹'hush'›, ‹'hash'›) AND city = COALESCE('open', 'shut')",
  "UPDATE users SET password = CASE WHEN id = ‹1› THEN ‹'hush'› ELSE ‹'hash'› END, city = 'open' WHERE id = 5",
  "UPDATE users SET city = CASE WHEN id = 1 THEN 'open' ELSE 'shut' END WHERE token = ‹'hush'›",
  "UPDATE users SET password = ‹'hush'›, city = 'open' WHERE id = 5",
  "UPDATE users SET city = 'open', password=‹'hush'› WHERE name = 'open'",
  "UPDATE settings SET value = ‹'hush'› WHERE name = 'smtp_password'",
  "UPDATE settings SET value = 'open' WHERE name = 'smtp_host'",
  "UPDATE settings SET value = ‹'hush'›",
  "UPDATE settings SET city = 'open', value = ‹'hush'›, val = ‹'hash'›",
  "UPDATE settings SET value = ‹'hush'› WHERE",
  "UPDATE settings SET value = ‹'hush'› WHERE name =",
  "UPDATE settings SET value = 'open' WHERE id = 5",
  "UPDATE settings SET value = 'open' WHERE id = ?",
  "UPDATE settings SET value = 'open' WHERE id = $1",
  "UPDATE settings SET value = 'open' WHERE id = :id",
  "UPDATE settings SET value = 'open' WHERE id = @id",
  "SELECT id FROM settings WHERE value = 'open'",
  "SELECT id FROM settings WHERE name = 'smtp_password' AND value = ‹'hush'›",
  "SELECT id FROM settings WHERE (name = 'smtp_password' AND value = ‹'hush'›) AND city = 'open'",
  "UPDATE settings SET name = 'smtp_password', value = ‹'hush'› WHERE id = 5",
  "SELECT id FROM settings WHERE name = 'smtp_host' AND value = 'open'",
  "INSERT INTO users (name, password, city) VALUES ('open', ‹'hush'›, 'shut')",
  "INSERT INTO users (name, password, city) VALUES ('open', ‹'hush'›, 'shut'), ('open', ‹'hash'›, 'shut')",
  "INSERT INTO users (id, password, city) VALUES (5, ‹'hush'›, lower('open'))",
  "INSERT INTO users (password, city) VALUES (upper(‹'hush'›), 'open')",
  "INSERT INTO users (name, password, city) SELECT 'open', ‹'hush'›, 'shut' FROM others WHERE city = 'open'",
  "INSERT INTO users VALUES (5, ‹'hush'›, ‹'hash'›)",
  "INSERT INTO users VALUES (5, ‹'hush'›), (6, ‹'hash'›) ON CONFLICT (id) DO UPDATE SET city = 'open'",
  "INSERT INTO users VALUES (5, ‹'hush'›) RETURNING 'open'",
  "REPLACE INTO users (name, pwd) VALUES ('open', ‹'hush'›)",
  "INSERT INTO settings (name, value) VALUES ('smtp_password', ‹'hush'›), ('smtp_host', 'open')",
  "INSERT INTO settings (value, name) VALUES (‹'hush'›, 'smtp_password'), ('open', 'smtp_host')",
  "SELECT replace(city, 'open', 'shut') FROM users WHERE token = ‹'hush'›",
  "ALTER USER 'shop'@'open' IDENTIFIED BY ‹'hush'› REPLACE ‹'hash'›",
  "CREATE USER shop IDENTIFIED WITH caching_sha2 AS ‹'hush'›",
  "CREATE ROLE shop LOGIN PASSWORD ‹'hush'› VALID UNTIL 'open'",
  "SET PASSWORD FOR 'shop'@'open' = ‹'hush'›",
  "SET PASSWORD = ‹'hush'›",
  "SELECT set_config('app.jwt_secret', ‹'hush'›, false), 'open'",
  "SELECT set_config('app.city', 'open', false)",
  "SELECT crypt(‹'hush'›, ‹'salt'›), concat('open', 'shut')",
  "SELECT id FROM users WHERE hash = md5(‹'hush'›) AND city = 'open'",
  "SELECT id FROM users WHERE password = ‹E'hu\\'sh'› AND city = E'op\\'en'",
  "SELECT id FROM users WHERE password = ‹'hu''sh'› AND city = 'op''en'",
  "SELECT id FROM users WHERE password = ‹$a$hush's$a$› AND city = $$open$$",
  'SELECT id FROM users WHERE pin = ‹1234› AND id = 1234',
  "SELECT id /* 'open' */ FROM users -- 'open'\n WHERE password = /* is */ ‹'hush'›",
  "SELECT id FROM users WHERE password IS NULL AND city = 'open'",
  "SELECT password FROM users WHERE city = 'open'",
  "SELECT id FROM users WHERE password = $1 AND city = 'open'",
  "SELECT id FROM users WHERE password = ? AND city = 'open'",
] as const;
const plain = (marked: string) => marked.replace(/[‹›]/g, '');
const masked = (marked: string) => marked.replace(/‹[^›]*›/g, MASK);

test.each(STATEMENTS)('%s', (marked) => {
  expect(maskStatement(plain(marked))).toBe(masked(marked));
});

test('what is masked of a statement does not depend on those before it', () => {
  const random = new Random(5);
  for (let round = 0; round < 400; round += 1) {
    const several = Array.from({ length: 3 }, () => STATEMENTS[random.below(STATEMENTS.length)] ?? '').join('; ');
    expect(maskStatement(plain(several))).toBe(masked(several));
  }
});

test('an error that quotes a statement shows no secret of it', () => {
  for (const marked of STATEMENTS) {
    const shown = maskQuoted(`syntax error at or near "${plain(marked)}"`, plain(marked));
    for (const [, secret = ''] of marked.matchAll(/‹'(\w{3,})'›/g)) expect(shown, marked).not.toContain(secret);
    expect(shown).toContain('syntax error at or near');
  }
});

test('what a statement sets is hidden wherever it was cut before the name of the row has ended', () => {
  const whole = "UPDATE settings SET value = 'hush' WHERE name = 'smtp_password' AND city = 'open'";
  for (let length = whole.indexOf("' WHERE") + 1; length <= whole.length; length += 1) {
    expect(maskStatement(whole.slice(0, length)), `${length}`).not.toContain('hush');
  }
});
