import { expect, test } from 'vitest';
import { errorText, statementNames, statementText } from '../../../src/analyze/protocols/statement.ts';

test.each([
  ['SELECT * FROM stock WHERE id = 7', 'SELECT stock'],
  ['  -- why\n/* x */ select a from "shop"."orders" o join b', 'SELECT shop.orders'],
  ['insert into `t` values (1)', 'INSERT t'],
  ['UPDATE accounts SET a = a + 1', 'UPDATE accounts'],
  ['BEGIN ISOLATION LEVEL SERIALIZABLE', 'BEGIN'],
  ['create table if not exists x (a int)', 'CREATE x'],
  ['VALUES (1)', 'VALUES'],
  ['', 'SQL'],
])('%j is counted as %s', (sql, route) => {
  expect(statementNames(sql, false).route).toBe(route);
});

test.each([
  "ALTER USER a WITH PASSWORD 'hush'",
  "CREATE USER 'a'@'%' IDENTIFIED BY 'hush'",
  "CREATE USER a IDENTIFIED WITH mysql_native_password BY 'hush'",
  "ALTER USER a IDENTIFIED VIA ed25519 USING PASSWORD('hush')",
  "SET PASSWORD FOR a = 'hush'",
  "SET PASSWORD = PASSWORD('hush')",
  "CREATE ROLE a PASSWORD 'it''s hush'",
  "SELECT * FROM u WHERE 'hush' = password",
  "SELECT * FROM u WHERE 'hush' = u.password AND a = 1",
])('%s shows no password', (sql) => {
  expect(statementText(sql, false)).not.toContain('hush');
  expect(statementText(sql, true)).toContain('hush');
});

test.each([
  "SELECT * FROM t WHERE name = 'open' AND password_expires > 'open'",
  "CREATE TABLE t (password varchar(50) DEFAULT 'open', token text NOT NULL)",
  "INSERT INTO t (a, b) VALUES ('open', 'password')",
  "INSERT INTO u (a, password) VALUES ('open', ?)",
  "CREATE USER a IDENTIFIED WITH 'open' BY ?; SELECT 'open'",
  "SET PASSWORD FOR 'open'@'%' = ?",
  'SELECT password AS p, \'open\', "token" FROM "open" -- it isn\'t open',
])('%s keeps what is no secret', (sql) => {
  expect(statementText(sql, false)).toBe(sql);
});

test('a server that quotes the statement shows no password', () => {
  const sql = "ALTER USER a IDENTIFIED BY 'hush' REPLACE 'hush-too'";
  expect(errorText("near 'REPLACE 'hush-too'' at line 1", sql, false)).toBe("near 'REPLACE '***'' at line 1");
  expect(errorText("near 'REPLACE 'hush-too'' at line 1", sql, true)).toContain('hush-too');
  expect(errorText('Access denied (using password: YES)', '', false)).toBe('Access denied (using password: YES)');
});

test('one line, bounded', () => {
  expect(statementText('SELECT 1,\n\t2', false)).toBe('SELECT 1, 2');
  expect(statementText('x'.repeat(5000), false)).toHaveLength(1024);
});
