/** Two blanks between columns, as kubectl's describe pages have. */
const padding = 2;

const widthOf = (text: string): number => (/^[\x20-\x7e]*$/.test(text) ? text.length : [...text].length);

/**
 * Lines up tab-terminated cells: neighbouring lines that have a cell in the same column share its width (elastic tab stops). The
 * last cell of a line belongs to no column. Follows Go's text/tabwriter with a minimal width of 0, padding 2 and blanks.
 */
export function alignTabs(text: string): string {
  const lines = text.split('\n').map((line) => line.split('\t'));
  const out: string[] = new Array(lines.length).fill('');
  const write = (from: number, to: number, widths: readonly number[]): void => {
    for (let i = from; i < to; i++) {
      const cells = lines[i] ?? [];
      out[i] = cells
        .map((cell, column) => {
          const width = widths[column];
          return width === undefined ? cell : cell + ' '.repeat(Math.max(0, width - widthOf(cell)));
        })
        .join('');
    }
  };
  const layOut = (from: number, to: number, widths: readonly number[]): void => {
    const column = widths.length;
    let start = from;
    for (let i = from; i < to; i++) {
      if (column >= (lines[i]?.length ?? 0) - 1) continue;
      write(start, i, widths);
      let end = i;
      let width = 0;
      while (end < to && column < (lines[end]?.length ?? 0) - 1) {
        width = Math.max(width, widthOf(lines[end]?.[column] ?? '') + padding);
        end++;
      }
      layOut(i, end, [...widths, width]);
      start = end;
      i = end - 1;
    }
    write(start, to, widths);
  };
  layOut(0, lines.length, []);
  return out.join('\n');
}
