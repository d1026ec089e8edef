import { describe, expect, it } from 'vitest';
import { toYaml } from './yaml-writer.ts';

const long = `${'word '.repeat(20)}end`;

describe('YAML as kubectl writes it', () => {
  it.each([
    [{ b: 1, a: [{ c: 'x', d: [] }] }, 'a:\n- c: x\n  d: []\nb: 1\n'],
    [
      { t: 'true', i: '12', f: '1.5', e: '', z: '2026-01-01T00:00:00Z' },
      'e: ""\nf: "1.5"\ni: "12"\nt: "true"\nz: "2026-01-01T00:00:00Z"\n',
    ],
    [{ a: 'b: c', b: '*x', c: "it's", d: '- x', g: ' lead' }, "a: 'b: c'\nb: '*x'\nc: it's\nd: '- x'\ng: ' lead'\n"],
    [{ a: 'one\ntwo\n', b: 'one\ntwo', c: 'tab\there' }, 'a: |\n  one\n  two\nb: |-\n  one\n  two\nc: "tab\\there"\n'],
    [{ y: 1, o: { p: null }, q: {} }, 'o:\n  p: null\nq: {}\n"y": 1\n'],
    [[['a'], []], '- - a\n- []\n'],
    [{ k: long }, `k: ${'word '.repeat(16).trimEnd()}\n  ${'word '.repeat(4)}end\n`],
  ])('%j', (value, text) => {
    expect(toYaml(value)).toBe(text);
  });
});
