/** A server-side table (meta.k8s.io/v1 Table). */
export interface Table {
  readonly columnDefinitions: readonly { readonly name: string; readonly priority?: number }[];
  readonly rows: readonly {
    readonly cells: readonly unknown[];
    readonly object?: {
      readonly metadata?: { readonly namespace?: string; readonly labels?: Readonly<Record<string, string>> };
    };
  }[];
}

export interface TableOptions {
  readonly wide?: boolean;
  readonly noHeaders?: boolean;
  readonly showNamespace?: boolean;
  readonly showLabels?: boolean;
  readonly labelColumns?: readonly string[];
}

/** Columns padded to their widest cell and three spaces, six at least, as kubectl's tab writer does; no blanks at the end of a line's last cell. */
export function alignColumns(rows: readonly (readonly string[])[], widths?: number[]): readonly string[] {
  const wide = widths ?? [];
  for (const row of rows) {
    row.forEach((cell, i) => {
      wide[i] = Math.max(wide[i] ?? 0, cell.length);
    });
  }
  return rows.map((row) =>
    row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(Math.max(6, (wide[i] ?? 0) + 3)))).join(''),
  );
}

const cellText = (cell: unknown): string =>
  cell === null || cell === undefined ? '<unknown>' : typeof cell === 'object' ? JSON.stringify(cell) : String(cell);
const labelText = (labels: Readonly<Record<string, string>> | undefined): string => {
  const pairs = Object.entries(labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return pairs.length === 0 ? '<none>' : pairs.map(([key, value]) => `${key}=${value}`).join(',');
};

/** The rows of a table as text cells, the header first unless left out. */
export function tableCells(table: Table, options: TableOptions): readonly (readonly string[])[] {
  const shown = table.columnDefinitions
    .map((column, i) => ({ column, i }))
    .filter(({ column }) => options.wide || (column.priority ?? 0) === 0);
  const extra = options.labelColumns ?? [];
  const header = [
    ...(options.showNamespace ? ['NAMESPACE'] : []),
    ...shown.map(({ column }) => column.name.toUpperCase()),
    ...extra.map((label) => (label.split('/').at(-1) ?? label).toUpperCase()),
    ...(options.showLabels ? ['LABELS'] : []),
  ];
  const rows = table.rows.map((row) => [
    ...(options.showNamespace ? [row.object?.metadata?.namespace ?? ''] : []),
    ...shown.map(({ i }) => cellText(row.cells[i])),
    ...extra.map((label) => row.object?.metadata?.labels?.[label] ?? ''),
    ...(options.showLabels ? [labelText(row.object?.metadata?.labels)] : []),
  ]);
  return options.noHeaders ? rows : [header, ...rows];
}
