import { describe, expect, it } from 'vitest';
import { Colours, wantsColour } from '../../src/view/colour.ts';

const terminal = { isTTY: true };
const pipe = {};

describe('wantsColour', () => {
  it.each([
    ['a terminal', terminal, { TERM: 'xterm-256color' }, true],
    ['a pipe', pipe, {}, false],
    ['a terminal that cannot', terminal, { TERM: 'dumb' }, false],
    ['NO_COLOR', terminal, { NO_COLOR: '1' }, false],
    ['an empty NO_COLOR', terminal, { NO_COLOR: '' }, true],
    ['FORCE_COLOR into a pipe', pipe, { FORCE_COLOR: '1' }, true],
    ['FORCE_COLOR=0 on a terminal', terminal, { FORCE_COLOR: '0' }, false],
    ['FORCE_COLOR above NO_COLOR', pipe, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ])('%s', (_, stream, environment, wanted) => {
    expect(wantsColour(stream, environment)).toBe(wanted);
  });
});

describe('Colours', () => {
  it('gives a label the same colour in every run, whatever labels come before it', () => {
    const labels = ['shop/web-1', 'shop/web-2', 'shop/api-1', 'web.shop', 'kube-dns.kube-system'];
    const [forwards, backwards] = [new Colours(true), new Colours(true)];
    const painted = labels.map((label) => forwards.label(label));
    expect([...labels].reverse().map((label) => backwards.label(label))).toEqual([...painted].reverse());
    expect(painted[0]).toBe(`\x1b[34mshop/web-1\x1b[39m`);
    expect(new Set(painted.map((text) => text.slice(0, 5))).size).toBeGreaterThan(2);
  });

  it('has enough for any number of labels', () => {
    const colours = new Colours(true);
    for (let pod = 0; pod < 100; pod += 1) expect(colours.label(`pod-${pod}`)).toContain('\x1b[');
  });

  it('changes nothing when it is off', () => {
    const colours = new Colours(false);
    expect(colours.label('shop/web-1')).toBe('shop/web-1');
    expect(colours.aside('[not decoded]')).toBe('[not decoded]');
  });
});
