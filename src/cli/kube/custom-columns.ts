import { goPrint } from '../../api/go-format.ts';
import { findJsonPath, JsonPathError, parseJsonPath, relaxedJsonPath } from '../../api/json-path.ts';
import type { KubeObject } from '../../api/resource.ts';
import { KubectlError } from './errors.ts';
import { alignColumns } from './print-table.ts';

/** `NAME:.metadata.name,IMAGE:.spec.containers[*].image` as a table. Absent values show as `<none>`. */
export function customColumns(spec: string, items: readonly KubeObject[], noHeaders: boolean): string {
  const columns = spec.split(',').map((part) => {
    const colon = part.indexOf(':');
    if (colon < 0) {
      throw new KubectlError(`unexpected custom-columns spec: ${part}, expected <header>:<json-path-expr>`);
    }
    try {
      return { header: part.slice(0, colon), path: parseJsonPath(relaxedJsonPath(part.slice(colon + 1))) };
    } catch (error) {
      if (!(error instanceof JsonPathError)) throw error;
      throw new KubectlError(error.message);
    }
  });
  const rows = items.map((item) =>
    columns.map(({ path }) => {
      const found = findJsonPath(path, item, { allowMissing: true })[0] ?? [];
      return found.length === 0 ? '<none>' : found.map((value) => goPrint(value)).join(',');
    }),
  );
  const table = noHeaders ? rows : [columns.map((column) => column.header), ...rows];
  return table.length === 0 ? '' : `${alignColumns(table).join('\n')}\n`;
}
