/** What can be asked of a kind: paths, methods and parameters, before they are written in either dialect. */
import { apiVersionOf, type GroupVersionKind } from '../../api/resource.ts';
import type { KindDefinition } from '../../kinds/kind.ts';
import { definitionByKind, definitionOf, deleteOptionsName, statusName } from './definitions.ts';
import { patchName } from './dialect.ts';

export type Method = 'get' | 'put' | 'post' | 'delete' | 'patch';

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query';
  readonly type: 'string' | 'integer' | 'boolean';
  readonly description: string;
}

export interface Operation {
  readonly method: Method;
  readonly id: string;
  readonly description: string;
  readonly action: string;
  readonly gvk: GroupVersionKind;
  readonly parameters: readonly Parameter[];
  /** The definition of the body. */
  readonly body?: string;
  readonly bodyRequired?: boolean;
  readonly consumes: readonly string[];
  readonly responses: Readonly<Record<string, { readonly description: string; readonly definition: string }>>;
}

export interface PathItem {
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly operations: readonly Operation[];
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({
  name,
  in: 'query',
  type,
  description,
});
const dryRun = query(
  'dryRun',
  'string',
  'When present, indicates that modifications should not be persisted. An invalid or unrecognized dryRun directive will result in an error response and no further processing of the request. Valid values are: - All: all dry run stages will be processed',
);
const fieldManager = query(
  'fieldManager',
  'string',
  'fieldManager is a name associated with the actor or entity that is making these changes. The value must be less than or 128 characters long, and only contain printable characters, as defined by https://golang.org/pkg/unicode/#IsPrint.',
);
const fieldValidation = query(
  'fieldValidation',
  'string',
  'fieldValidation instructs the server on how to handle objects in the request (POST/PUT/PATCH) containing unknown or duplicate fields. Valid values are: - Ignore, - Warn (the default) and - Strict.',
);
const force = query(
  'force',
  'boolean',
  'Force is going to "force" Apply requests. It means user will re-acquire conflicting fields owned by other people. Force flag must be unset for non-apply patch requests.',
);
const pretty = query(
  'pretty',
  'string',
  "If 'true', then the output is pretty printed. Defaults to 'false' unless the user-agent indicates a browser or command-line HTTP tool (curl and wget).",
);
const listParameters: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean', 'allowWatchBookmarks requests watch events with type "BOOKMARK".'),
  query('continue', 'string', 'The continue option should be set when retrieving more results from the server.'),
  query(
    'fieldSelector',
    'string',
    'A selector to restrict the list of returned objects by their fields. Defaults to everything.',
  ),
  query(
    'labelSelector',
    'string',
    'A selector to restrict the list of returned objects by their labels. Defaults to everything.',
  ),
  query('limit', 'integer', 'limit is a maximum number of responses to return for a list call.'),
  query(
    'resourceVersion',
    'string',
    'resourceVersion sets a constraint on what resource versions a request may be served from.',
  ),
  query(
    'resourceVersionMatch',
    'string',
    'resourceVersionMatch determines how resourceVersion is applied to list calls.',
  ),
  query('sendInitialEvents', 'boolean', '`sendInitialEvents=true` may be set together with `watch=true`.'),
  query(
    'timeoutSeconds',
    'integer',
    'Timeout for the list/watch call. This limits the duration of the call, regardless of any activity or inactivity.',
  ),
  query(
    'watch',
    'boolean',
    'Watch for changes to the described resources and return them as a stream of add, update, and remove notifications. Specify resourceVersion.',
  ),
];
const deleteParameters: readonly Parameter[] = [
  dryRun,
  query(
    'gracePeriodSeconds',
    'integer',
    'The duration in seconds before the object should be deleted. Value must be non-negative integer. The value zero indicates delete immediately.',
  ),
  query(
    'ignoreStoreReadErrorWithClusterBreakingPotential',
    'boolean',
    'if set to true, it will trigger an unsafe deletion of the resource in case the normal deletion flow fails with a corrupt object error.',
  ),
  query(
    'orphanDependents',
    'boolean',
    'Deprecated: please use the PropagationPolicy. Should the dependent objects be orphaned.',
  ),
  query(
    'propagationPolicy',
    'string',
    'Whether and how garbage collection will be performed. Either this field or OrphanDependents may be set, but not both.',
  ),
];
const writeParameters = [dryRun, fieldManager, fieldValidation];

const inPath = (name: string, description: string): Parameter => ({ name, in: 'path', type: 'string', description });

const jsonTypes = ['application/json-patch+json', 'application/merge-patch+json'];
const patchTypes = [...jsonTypes, 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'];
const customPatchTypes = [...jsonTypes, 'application/apply-patch+yaml'];
const anything = ['*/*'];

const camel = (text: string): string =>
  text
    .split(/[.-]/)
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('');

/** `AppsV1`, `CoreV1`, `RbacAuthorizationV1`. */
const idPrefix = ({ group, version }: { readonly group: string; readonly version: string }): string =>
  `${group === '' ? 'Core' : camel(group.replace(/\.k8s\.io$/, ''))}${camel(version)}`;

const ok = (definition: string): Operation['responses'] => ({ '200': { description: 'OK', definition } });
const written = (definition: string, more: readonly string[]): Operation['responses'] => ({
  ...ok(definition),
  ...(more.includes('201') && { '201': { description: 'Created', definition } }),
  ...(more.includes('202') && { '202': { description: 'Accepted', definition } }),
});

const gvkOf = ({ group, version, kind }: GroupVersionKind): GroupVersionKind => ({ group, kind, version });

interface Shape {
  readonly definition: string;
  readonly gvk: GroupVersionKind;
  readonly patches: readonly string[];
  readonly id: (verb: string) => string;
}

const shared = ({ gvk }: Shape) => ({ gvk, consumes: anything });

function itemOperations(verbs: readonly string[], shape: Shape, what: string): readonly Operation[] {
  const { definition, id } = shape;
  const out: Operation[] = [];
  const has = (verb: string): boolean => verbs.includes(verb);
  if (has('get'))
    out.push({
      ...shared(shape),
      method: 'get',
      id: id('read'),
      description: `read ${what}`,
      action: 'get',
      parameters: [],
      responses: ok(definition),
    });
  if (has('update')) {
    out.push({
      ...shared(shape),
      method: 'put',
      id: id('replace'),
      description: `replace ${what}`,
      action: 'put',
      parameters: writeParameters,
      body: definition,
      bodyRequired: true,
      responses: written(definition, ['201']),
    });
  }
  if (has('create')) {
    out.push({
      ...shared(shape),
      method: 'post',
      id: id('create'),
      description: `create ${what}`,
      action: 'post',
      parameters: writeParameters,
      body: definition,
      bodyRequired: true,
      responses: written(definition, ['201', '202']),
    });
  }
  if (has('delete')) {
    out.push({
      ...shared(shape),
      method: 'delete',
      id: id('delete'),
      description: `delete ${what}`,
      action: 'delete',
      parameters: deleteParameters,
      body: deleteOptionsName,
      responses: written(statusName, ['202']),
    });
  }
  if (has('patch')) {
    out.push({
      ...shared(shape),
      method: 'patch',
      id: id('patch'),
      description: `partially update ${what}`,
      action: 'patch',
      parameters: [dryRun, fieldManager, fieldValidation, force],
      body: patchName,
      bodyRequired: true,
      consumes: shape.patches,
      responses: written(definition, ['201']),
    });
  }
  return out;
}

/** Everything that a kind can be asked. */
export function pathsOf(kind: KindDefinition): readonly PathItem[] {
  const { resource } = kind;
  const { group, plural, namespaced, verbs } = resource;
  const root = group === '' ? `/api/${resource.version}` : `/apis/${apiVersionOf(resource)}`;
  const prefix = idPrefix(resource);
  const scope = namespaced ? 'Namespaced' : '';
  const definition = definitionOf(kind);
  const listDefinition = `${definition}List`;
  const patches = resource.definition === undefined ? customPatchTypes : patchTypes;
  const gvk = gvkOf(resource);
  const shape: Shape = { definition, gvk, patches, id: (verb) => `${verb}${prefix}${scope}${resource.kind}` };
  const namespace = inPath('namespace', 'object name and auth scope, such as for teams and projects');
  const common = namespaced ? [namespace, pretty] : [pretty];
  const base = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`;
  const collection: Operation[] = [];
  const list = (id: string): Operation => ({
    ...shared(shape),
    method: 'get',
    id,
    description: `list or watch objects of kind ${resource.kind}`,
    action: 'list',
    parameters: listParameters,
    responses: ok(listDefinition),
  });
  if (verbs.includes('list')) collection.push(list(shape.id('list')));
  collection.push(
    ...itemOperations(
      verbs.filter((verb) => verb === 'create'),
      shape,
      `a ${resource.kind}`,
    ),
  );
  if (verbs.includes('deletecollection')) {
    collection.push({
      ...shared(shape),
      method: 'delete',
      id: `delete${prefix}Collection${scope}${resource.kind}`,
      description: `delete collection of ${resource.kind}`,
      action: 'deletecollection',
      parameters: [
        ...deleteParameters,
        ...listParameters.filter(({ name }) => name !== 'watch' && name !== 'allowWatchBookmarks'),
      ],
      body: deleteOptionsName,
      responses: ok(statusName),
    });
  }
  const name = inPath('name', `name of the ${resource.kind}`);
  const paths: PathItem[] = [];
  if (namespaced && verbs.includes('list')) {
    paths.push({
      path: `${root}/${plural}`,
      parameters: [...listParameters, pretty],
      operations: [{ ...list(`list${prefix}${resource.kind}ForAllNamespaces`), parameters: [] }],
    });
  }
  if (collection.length > 0) paths.push({ path: base, parameters: common, operations: collection });
  const item = itemOperations(
    verbs.filter((verb) => verb !== 'create'),
    shape,
    `the specified ${resource.kind}`,
  );
  if (item.length > 0) paths.push({ path: `${base}/{name}`, parameters: [name, ...common], operations: item });
  for (const sub of resource.subresources ?? []) {
    const subGvk: GroupVersionKind = {
      group: sub.group ?? group,
      version: sub.version ?? resource.version,
      kind: sub.kind,
    };
    const subDefinition = sub.kind === resource.kind ? definition : definitionByKind(subGvk);
    if (subDefinition === undefined) continue;
    const subShape: Shape = {
      definition: subDefinition,
      gvk: gvkOf(subGvk),
      patches,
      id: (verb) => `${shape.id(verb)}${camel(sub.name)}`,
    };
    paths.push({
      path: `${base}/{name}/${sub.name}`,
      parameters: [name, ...common],
      operations: itemOperations(sub.verbs, subShape, `${sub.name} of the specified ${resource.kind}`),
    });
  }
  return paths;
}

/** The definitions that the operations speak of. */
export function definitionsUsed(paths: readonly PathItem[]): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { operations } of paths) {
    for (const { body, responses } of operations) {
      if (body !== undefined) names.add(body);
      for (const { definition } of Object.values(responses)) names.add(definition);
    }
  }
  return names;
}
