import { describe, expect, it } from 'vitest';
import { smartLabel } from './generic.ts';
import { annotationLines, createPage } from './page.ts';
import { alignTabs } from './tab-writer.ts';

describe('describe pages', () => {
  it('line up the cells of neighbouring lines', () => {
    expect(alignTabs('Name:\tx\nNamespace:\ty\nData\nA:\tz\n')).toBe('Name:       x\nNamespace:  y\nData\nA:  z\n');
    expect(alignTabs('a\tbb\tc\n\td\te\n')).toBe('a  bb  c\n   d   e\n');
  });

  it('write lists below their title, and <none>', () => {
    const page = createPage();
    page.list('Labels', ['a=b', 'c=d']);
    page.list('Annotations', []);
    expect(page.text()).toBe('Labels:       a=b\n              c=d\nAnnotations:  <none>\n');
  });

  it('never pass control characters on to the terminal', () => {
    const page = createPage();
    page.line(0, '\u001b[31mred');
    expect(page.text()).toBe('^[[31mred\n');
  });

  it('put long annotations below their key', () => {
    expect(annotationLines({ b: 'two\nlines', a: 'x'.repeat(200) })).toEqual([
      'a:',
      `  ${'x'.repeat(138)}...`,
      'b:',
      '  two',
      '  lines',
    ]);
  });

  it.each([
    ['apiVersion', 'API Version'],
    ['lastTransitionTime', 'Last Transition Time'],
    ['podURL', 'Pod URL'],
    ['f:status', 'f:status'],
    ['uid', 'UID'],
  ])('name the field %s %s', (field, label) => {
    expect(smartLabel(field)).toBe(label);
  });
});
