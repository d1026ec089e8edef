import { createHash } from 'node:crypto';
import type { Draft } from '../../api/draft.ts';
import { apiVersionOf } from '../../api/resource.ts';
import type { KindDefinition } from '../../kinds/kind.ts';
import type { KindRegistry } from '../contracts.ts';
import { collectDefinitions } from './definitions.ts';
import { reference } from './dialect.ts';
import { definitionsUsed, type Operation, type Parameter, type PathItem, pathsOf } from './operations.ts';

const mediaTypes = ['application/json', 'application/yaml'];
const streamTypes = [...mediaTypes, 'application/json;stream=watch'];

const parameterIn = ({ type, ...parameter }: Parameter): Draft => ({
  ...parameter,
  ...(parameter.in === 'path' && { required: true }),
  schema: { type, uniqueItems: true },
});

const contentOf = (types: readonly string[], definition: string): Draft =>
  Object.fromEntries(types.map((type) => [type, { schema: reference('v3', definition) }]));

function operationIn(operation: Operation, tag: string): Draft {
  const { body, responses } = operation;
  const types = operation.action === 'list' ? streamTypes : mediaTypes;
  return {
    description: operation.description,
    operationId: operation.id,
    tags: [tag],
    ...(operation.parameters.length > 0 && { parameters: operation.parameters.map(parameterIn) }),
    ...(body !== undefined && {
      requestBody: { content: contentOf(operation.consumes, body), ...(operation.bodyRequired && { required: true }) },
    }),
    responses: {
      ...Object.fromEntries(
        Object.entries(responses).map(([code, { description, definition }]) => [
          code,
          { description, content: contentOf(types, definition) },
        ]),
      ),
      '401': { description: 'Unauthorized' },
    },
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.gvk,
  };
}

function pathIn(item: PathItem, tag: string): Draft {
  return {
    ...Object.fromEntries(item.operations.map((operation) => [operation.method, operationIn(operation, tag)])),
    parameters: item.parameters.map(parameterIn),
  };
}

/** `api/v1`, `apis/apps/v1`. */
const documentOf = ({ resource }: KindDefinition): string =>
  resource.group === '' ? `api/${resource.version}` : `apis/${apiVersionOf(resource)}`;

/** The kinds by the document that describes them. */
function byDocument(registry: KindRegistry): ReadonlyMap<string, readonly KindDefinition[]> {
  const out = new Map<string, KindDefinition[]>();
  for (const kind of registry.list()) {
    const name = documentOf(kind);
    const known = out.get(name);
    if (known) known.push(kind);
    else out.set(name, [kind]);
  }
  return out;
}

/** The document of a group version; `path` is what follows `/openapi/v3/`. Undefined where nothing is served there. */
export function buildOpenApiV3(registry: KindRegistry, path: string): Draft | undefined {
  const kinds = byDocument(registry).get(path);
  if (!kinds) return undefined;
  const items = kinds.flatMap((kind) => [...pathsOf(kind)]);
  const [, group = '', version = ''] = path.startsWith('apis/') ? path.split('/') : ['', 'core', path.slice(4)];
  const tag = `${group.replace(/\.k8s\.io$/, '').replaceAll('.', '')}_${version}`;
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(
      items.map((item) => [item.path, pathIn(item, tag)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    components: {
      schemas: collectDefinitions('v3', definitionsUsed(items), kinds),
      securitySchemes: {
        BearerToken: {
          description: 'Bearer Token authentication',
          in: 'header',
          name: 'authorization',
          type: 'apiKey',
        },
      },
    },
  };
}

/** Changes whenever the document of these kinds would; the document itself need not be built for it. */
function hashOf(kinds: readonly KindDefinition[]): string {
  const hash = createHash('sha512');
  for (const kind of kinds) {
    hash.update(JSON.stringify(kind.resource));
    // Schemas of built-in kinds do not change while the server runs, nor between servers of one release.
    if (kind.resource.definition === undefined) hash.update(JSON.stringify(kind.schema()));
  }
  return hash.digest('hex').toUpperCase();
}

/** The index at `/openapi/v3`: every group version with the hash of its document. */
export function buildOpenApiV3Index(registry: KindRegistry): Draft {
  const paths = [...byDocument(registry)]
    .map(([name, kinds]) => [name, { serverRelativeURL: `/openapi/v3/${name}?hash=${hashOf(kinds)}` }] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return { paths: Object.fromEntries(paths) };
}
