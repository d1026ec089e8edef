import type { V1CustomResourceColumnDefinition, V1CustomResourceDefinitionVersion } from '../../api/generated/types.ts';
import { type JsonPath, parseJsonPath, printJsonPath, valuesAt } from '../../api/json-path.ts';
import type { KubeObject } from '../../api/resource.ts';
import { ageColumn, nameColumn } from '../../kinds/columns.ts';
import { ageOf } from '../../kinds/human-duration.ts';
import type { Column } from '../../kinds/kind.ts';

/** The cell for a column's type (apiextensions-apiserver, registry/customresource/tableconvertor); null where there is no fitting value. */
function cellOf(type: string, path: JsonPath, object: KubeObject, now: number): unknown {
  const value = valuesAt(path, object)[0];
  if (value === undefined || value === null) return null;
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null;
    case 'number':
      return typeof value === 'number' ? value : null;
    case 'boolean':
      return typeof value === 'boolean' ? value : null;
    case 'date':
      return typeof value === 'string' ? ageOf(value, now) : null;
    default:
      return typeof value === 'string' ? value : printJsonPath(path, object);
  }
}

function columnOf(definition: V1CustomResourceColumnDefinition): Column {
  const { name, type, format, description, priority, jsonPath } = definition;
  const path = parseJsonPath(`{${jsonPath}}`);
  return {
    name,
    type: type as Column['type'],
    ...(format !== undefined && { format }),
    description: description || `Custom resource definition column (in JSONPath format): ${jsonPath}`,
    priority: priority ?? 0,
    cell: (object, now) => cellOf(type, path, object, now),
  };
}

/** The name, then what the version asks for; where it asks for nothing, the age. */
export function customColumns(version: V1CustomResourceDefinitionVersion): readonly Column[] {
  const { additionalPrinterColumns = [] } = version;
  if (additionalPrinterColumns.length === 0) return [nameColumn, ageColumn];
  return [nameColumn, ...additionalPrinterColumns.map(columnOf)];
}
