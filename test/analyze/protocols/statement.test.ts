import { expect, test } from 'vitest';
import { statementRoute, statementText } from '../../../src/analyze/protocols/statement.ts';

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
  expect(statementRoute(sql)).toBe(route);
});

test.each([
  "ALTER USER a WITH PASSWORD 'hush'",
  "CREATE USER 'a'@'%' IDENTIFIED BY 'hush'",
  "CREATE USER a IDENTIFIED WITH mysql_native_password BY 'hush'",
  "ALTER USER a IDENTIFIED VIA ed25519 USING PASSWORD('hush')",
  "SET PASSWORD FOR a = 'hush'",
  "SET PASSWORD = PASSWORD('hush')",
  "CREATE ROLE a PASSWORD 'it''s hush'",
])('%s shows no password', (sql) => {
  expect(statementText(sql, false)).not.toContain('hush');
  expect(statementText(sql, true)).toContain('hush');
});

test('one line, bounded', () => {
  expect(statementText('SELECT 1,\n\t2', false)).toBe('SELECT 1, 2');
  expect(statementText('x'.repeat(5000), false)).toHaveLength(1024);
});
