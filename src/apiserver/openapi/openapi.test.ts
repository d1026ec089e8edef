import { describe, expect, it } from 'vitest';
import { type Draft, isRecord } from '../../api/draft.ts';
import type { V1CustomResourceDefinition } from '../../api/generated/types.ts';
import { builtinKinds } from '../../kinds/catalogue.ts';
import { customKinds } from '../custom/custom-kind.ts';
import { kindRegistry } from '../kind-registry.ts';
import { openApiSource } from './openapi-source.ts';
import { buildOpenApiV2 } from './v2.ts';
import { buildOpenApiV3, buildOpenApiV3Index } from './v3.ts';

const registry = kindRegistry(
  builtinKinds(),
  () => undefined,
  () => undefined,
);
const at = (value: unknown, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[key] : undefined), value);

/** Every reference in a document. */
function references(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (Array.isArray(value)) for (const item of value) references(item, found);
  else if (isRecord(value)) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '$ref' && typeof item === 'string') found.add(item);
      else references(item, found);
    }
  }
  return found;
}

describe('OpenAPI v3', () => {
  const paths = at(buildOpenApiV3Index(registry), 'paths') as Record<string, { serverRelativeURL: string }>;

  it('lists a document a group version', () => {
    expect(paths['api/v1']?.serverRelativeURL).toMatch(/^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]{128}$/);
    expect(Object.keys(paths)).toContain('apis/rbac.authorization.k8s.io/v1');
  });

  it('refers only to what each document defines', () => {
    for (const name of Object.keys(paths)) {
      const document = buildOpenApiV3(registry, name);
      const known = Object.keys(at(document, 'components', 'schemas') as Draft);
      for (const reference of references(document)) {
        expect(known, `${name}: ${reference}`).toContain(reference.replace('#/components/schemas/', ''));
      }
    }
  });

  it('says what kubectl looks for', () => {
    const apps = buildOpenApiV3(registry, 'apis/apps/v1');
    const patch = at(apps, 'paths', '/apis/apps/v1/namespaces/{namespace}/deployments/{name}', 'patch');
    expect(patch).toMatchObject({
      operationId: 'patchAppsV1NamespacedDeployment',
      'x-kubernetes-action': 'patch',
      'x-kubernetes-group-version-kind': { group: 'apps', kind: 'Deployment', version: 'v1' },
    });
    expect((at(patch, 'parameters') as { name: string }[]).map(({ name }) => name)).toEqual([
      'dryRun',
      'fieldManager',
      'fieldValidation',
      'force',
    ]);
    expect(
      at(apps, 'components', 'schemas', 'io.k8s.api.apps.v1.Deployment', 'x-kubernetes-group-version-kind'),
    ).toEqual([{ group: 'apps', kind: 'Deployment', version: 'v1' }]);
    const core = buildOpenApiV3(registry, 'api/v1');
    expect(
      at(core, 'components', 'schemas', 'io.k8s.api.core.v1.ResourceRequirements', 'properties', 'limits'),
    ).toMatchObject({
      type: 'object',
      additionalProperties: { $ref: '#/components/schemas/io.k8s.apimachinery.pkg.api.resource.Quantity' },
    });
    expect(
      at(
        core,
        'paths',
        '/api/v1/namespaces/{namespace}/pods/{name}/binding',
        'post',
        'x-kubernetes-group-version-kind',
      ),
    ).toMatchObject({ kind: 'Binding' });
    expect(buildOpenApiV3(registry, 'apis/none/v1')).toBeUndefined();
  });
});

describe('OpenAPI v2', () => {
  it('is whole', () => {
    const document = buildOpenApiV2(registry);
    const known = new Set(Object.keys(document['definitions'] as Draft).map((name) => `#/definitions/${name}`));
    for (const reference of references(document)) expect(known.has(reference), reference).toBe(true);
    const ids = Object.values(document['paths'] as Record<string, Draft>).flatMap((item) =>
      Object.values(item).flatMap((operation) => (isRecord(operation) ? [operation['operationId']] : [])),
    );
    expect(ids.filter((id, index) => ids.indexOf(id) !== index)).toEqual([]);
  });
});

describe('openApiSource', () => {
  const crd = {
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab' },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          schema: {
            openAPIV3Schema: {
              type: 'object',
              description: 'A cron tab.',
              properties: { spec: { type: 'object', oneOf: [] } },
            },
          },
        },
      ],
    },
  } as unknown as V1CustomResourceDefinition;

  it('keeps documents until their kinds change', () => {
    const own = kindRegistry(
      builtinKinds(),
      () => undefined,
      () => undefined,
    );
    const source = openApiSource(() => own);
    const index = source.find('/openapi/v3', '');
    const apps = source.find('/openapi/v3/apis/apps/v1', 'application/json');
    expect(source.find('/openapi/v3/apis/apps/v1', '*/*')).toBe(apps);
    expect(source.find('/openapi/v3/apis/stable.example.com/v1', '')).toBeUndefined();
    own.install(customKinds(crd, () => undefined));
    expect(source.find('/openapi/v3', '')?.etag).not.toBe(index?.etag);
    expect(source.find('/openapi/v3/apis/apps/v1', '')).toBe(apps);
    const custom = JSON.parse(String(source.find('/openapi/v3/apis/stable.example.com/v1', '')?.body)) as unknown;
    expect(at(custom, 'components', 'schemas', 'com.example.stable.v1.CronTab')).toMatchObject({
      description: 'A cron tab.',
      properties: {
        metadata: { allOf: [{ $ref: '#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta' }] },
      },
      'x-kubernetes-group-version-kind': [{ group: 'stable.example.com', kind: 'CronTab', version: 'v1' }],
    });
    own.uninstall('stable.example.com', 'crontabs');
    expect(source.find('/openapi/v3/apis/stable.example.com/v1', '')).toBeUndefined();
  });

  it('speaks protobuf to clients that want it', () => {
    const source = openApiSource(() => registry);
    const document = source.find('/openapi/v2', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf');
    expect(document?.contentType).toBe('application/com.github.proto-openapi.spec.v2.v1.0+protobuf');
    expect([...(document?.body.subarray(0, 5) ?? [])]).toEqual([0x0a, 3, 0x32, 0x2e, 0x30]);
    expect(source.find('/openapi/v2', 'application/json')?.contentType).toBe('application/json');
    expect(source.find('/openapi/v4', '')).toBeUndefined();
  });
});
