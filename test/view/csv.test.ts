import { expect, it } from 'vitest';
import { csvRow } from '../../src/view/csv.ts';

it('quotes what RFC 4180 has quoted', () => {
  expect(csvRow(['web.shop', 12.5, true, undefined, 'a,b', 'say "x"', 'two\nlines', ' edge'])).toBe(
    'web.shop,12.5,true,,"a,b","say ""x""","two\nlines"," edge"',
  );
});

it('leaves no formula for a spreadsheet to run', () => {
  expect(csvRow(["=cmd|' /C calc'!A0", '@SUM(1)', '+1+1', '-2+3', '\t=1', -5, '-5', '1e3'])).toBe(
    `'=cmd|' /C calc'!A0,'@SUM(1),'+1+1,'-2+3,'\t=1,-5,-5,1e3`,
  );
});
