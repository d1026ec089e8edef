import { describe, expect, it } from 'vitest';
import { alignColumns, type Table, tableCells } from './print-table.ts';

const table: Table = {
  columnDefinitions: [{ name: 'Name' }, { name: 'Ready' }, { name: 'Node', priority: 1 }],
  rows: [
    { cells: ['web', '1/1', 'vm'], object: { metadata: { namespace: 'default', labels: { b: '2', a: '1' } } } },
    { cells: ['a-long-name', null, 'vm'], object: { metadata: { namespace: 'kube-system' } } },
  ],
};

describe('tables', () => {
  it('are aligned as kubectl does, without wide columns', () => {
    expect(alignColumns(tableCells(table, {}))).toEqual([
      'NAME          READY',
      'web           1/1',
      'a-long-name   <unknown>',
    ]);
  });

  it('show namespaces, wide columns and labels when asked', () => {
    const cells = tableCells(table, { wide: true, showNamespace: true, showLabels: true, noHeaders: true });
    expect(cells).toEqual([
      ['default', 'web', '1/1', 'vm', 'a=1,b=2'],
      ['kube-system', 'a-long-name', '<unknown>', 'vm', '<none>'],
    ]);
  });

  it('give every column six characters at least', () => {
    expect(
      alignColumns([
        ['A', 'B'],
        ['1', '2'],
      ]),
    ).toEqual(['A     B', '1     2']);
  });
});
