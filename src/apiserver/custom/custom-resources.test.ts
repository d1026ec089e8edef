import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createTestServer, type TestServer } from '../../../testing/test-server.ts';
import { customresourcedefinitions } from '../../api/generated/resources.ts';
import type { V1CustomResourceDefinition } from '../../api/generated/types.ts';
import type { KubeObject, Resource } from '../../api/resource.ts';
import { StatusError } from '../../api/status.ts';
import { followCustomResources } from './custom-resources.ts';

const crontabs: Resource = {
  group: 'stable.example.com',
  version: 'v1',
  plural: 'crontabs',
  singular: 'crontab',
  kind: 'CronTab',
  namespaced: true,
  verbs: [],
};
type Loose = KubeObject & { spec?: Record<string, unknown>; status?: Record<string, unknown> };

const definition = (change: (crd: Record<string, never>) => void = () => undefined): V1CustomResourceDefinition => {
  const crd = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: 'crontabs.stable.example.com' },
    spec: {
      group: 'stable.example.com',
      scope: 'Namespaced',
      names: { plural: 'crontabs', kind: 'CronTab', shortNames: ['ct'] },
      versions: [
        {
          name: 'v1',
          served: true,
          storage: true,
          subresources: {
            status: {},
            scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' },
          },
          additionalPrinterColumns: [
            { name: 'Spec', type: 'string', jsonPath: '.spec.cronSpec' },
            { name: 'Replicas', type: 'integer', jsonPath: '.spec.replicas' },
          ],
          selectableFields: [{ jsonPath: '.spec.image' }],
          schema: {
            openAPIV3Schema: {
              type: 'object',
              properties: {
                spec: {
                  type: 'object',
                  required: ['cronSpec'],
                  'x-kubernetes-validations': [
                    { rule: '!has(self.image) || self.image != "bad"', message: 'no bad images' },
                  ],
                  properties: {
                    cronSpec: { type: 'string', pattern: '^\\S+ \\S+$' },
                    image: { type: 'string' },
                    replicas: { type: 'integer', minimum: 1, default: 1 },
                  },
                },
                status: { type: 'object', properties: { replicas: { type: 'integer' } } },
              },
            },
          },
        },
        {
          name: 'v2',
          served: true,
          storage: false,
          deprecated: true,
          schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
        },
      ],
    },
  };
  change(crd as never);
  return crd as unknown as V1CustomResourceDefinition;
};

let server: TestServer;
beforeAll(async () => {
  server = await createTestServer({ customResources: followCustomResources });
});
afterAll(() => server.close());

const until = <T>(look: () => T | undefined): Promise<T> =>
  vi.waitFor(
    () => {
      const found = look();
      if (found === undefined) throw new Error('it has not come yet');
      return found;
    },
    { timeout: 5000, interval: 5 },
  );
const refusal = async (work: Promise<unknown>): Promise<StatusError> => {
  try {
    await work;
  } catch (error) {
    if (error instanceof StatusError) return error;
    throw error;
  }
  throw new Error('it was not refused');
};
const crdNow = () => server.context.reader.get(customresourcedefinitions, undefined, 'crontabs.stable.example.com');
const cronTab = (spec: Record<string, unknown>, name = 'a'): Loose => ({
  apiVersion: 'stable.example.com/v1',
  kind: 'CronTab',
  metadata: { name, namespace: 'default' },
  spec,
});

describe('custom resources', () => {
  it('refuses definitions that are not structural, in upstream words', async () => {
    const error = await refusal(
      server.create(
        customresourcedefinitions,
        definition((crd) => {
          const version = (crd as unknown as { spec: { versions: { schema: { openAPIV3Schema: object } }[] } }).spec
            .versions[0]!;
          version.schema.openAPIV3Schema = { type: 'object', properties: { spec: { properties: { a: {} } } } };
        }),
      ),
    );
    expect(error.code).toBe(422);
    expect(error.message).toContain(
      'spec.versions[0].schema.openAPIV3Schema.properties[spec].type: Required value: must not be empty for specified object fields',
    );
  });

  it('are served once the definition is established', async () => {
    await server.create(customresourcedefinitions, definition());
    const crd = await until(() => {
      const it = crdNow();
      return it?.status?.conditions?.some(
        (condition) => condition.type === 'Established' && condition.status === 'True',
      )
        ? it
        : undefined;
    });
    expect(crd.status).toMatchObject({
      storedVersions: ['v1'],
      acceptedNames: {
        plural: 'crontabs',
        singular: 'crontab',
        kind: 'CronTab',
        listKind: 'CronTabList',
        shortNames: ['ct'],
      },
      conditions: [
        { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
        {
          type: 'Established',
          status: 'True',
          reason: 'InitialNamesAccepted',
          message: 'the initial names have been accepted',
        },
      ],
    });
    const made = (await server.create(crontabs, cronTab({ cronSpec: '* *', junk: 1 }))) as Loose;
    expect(made.spec).toEqual({ cronSpec: '* *', replicas: 1 });
    expect(made.metadata).toMatchObject({ generation: 1, name: 'a' });
  });

  it('are validated by schema and rules', async () => {
    const bad = await refusal(server.create(crontabs, cronTab({ cronSpec: 'x', replicas: 0 }, 'b')));
    expect(bad.message).toBe(
      'CronTab.stable.example.com "b" is invalid: [spec.cronSpec: Invalid value: "x": spec.cronSpec in body should match \'^\\S+ \\S+$\', spec.replicas: Invalid value: 0: spec.replicas in body should be greater than or equal to 1]',
    );
    const ruled = await refusal(server.create(crontabs, cronTab({ cronSpec: '* *', image: 'bad' }, 'b')));
    expect(ruled.message).toBe('CronTab.stable.example.com "b" is invalid: spec: Invalid value: no bad images');
  });

  it('are read in another version, keep status apart, and scale', async () => {
    const v2 = { ...crontabs, version: 'v2' };
    const found = await server.request(v2, { verb: 'get', namespace: 'default', name: 'a' });
    expect(found).toMatchObject({ object: { apiVersion: 'stable.example.com/v2', spec: { cronSpec: '* *' } } });
    const scaled = await server.request(crontabs, {
      verb: 'get',
      namespace: 'default',
      name: 'a',
      subresource: 'scale',
    });
    expect(scaled).toMatchObject({ object: { kind: 'Scale', spec: { replicas: 1 } } });
    const patched = await server.request(crontabs, {
      verb: 'patch',
      namespace: 'default',
      name: 'a',
      subresource: 'status',
      patch: { type: 'application/merge-patch+json', body: { status: { replicas: 1 }, spec: { cronSpec: '1 1' } } },
    });
    expect(patched).toMatchObject({
      object: { status: { replicas: 1 }, spec: { cronSpec: '* *' }, metadata: { generation: 1 } },
    });
    const kind = server.context.kinds.find('stable.example.com', 'v1', 'crontabs')!;
    expect(kind.columns.map((column) => column.name)).toEqual(['Name', 'Spec', 'Replicas']);
    const object = crontabOf(patched);
    expect(kind.columns.map((column) => column.cell(object, 0))).toEqual(['a', '* *', 1]);
    expect(kind.selectableFields?.['spec.image']?.(object)).toBe('');
  });

  it('compete for names', async () => {
    const rival = definition((crd) => {
      const it = crd as unknown as { metadata: { name: string }; spec: { names: Record<string, unknown> } };
      it.metadata.name = 'others.stable.example.com';
      it.spec.names = { plural: 'others', kind: 'CronTab', singular: 'other', listKind: 'OtherList' };
    });
    await server.create(customresourcedefinitions, rival);
    const crd = await until(() => {
      const it = server.context.reader.get(customresourcedefinitions, undefined, 'others.stable.example.com');
      return it?.status?.conditions?.length === 2 ? it : undefined;
    });
    expect(crd.status?.conditions).toMatchObject([
      { type: 'NamesAccepted', status: 'False', reason: 'KindConflict', message: '"CronTab" is already in use' },
      { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' },
    ]);
  });

  it('go with their definition, and leave their names to others', async () => {
    await server.request(customresourcedefinitions, { verb: 'delete', name: 'crontabs.stable.example.com' });
    await until(() => (crdNow() === undefined ? true : undefined));
    expect(server.context.kinds.find('stable.example.com', 'v1', 'crontabs')).toBeUndefined();
    await until(() => server.context.kinds.find('stable.example.com', 'v1', 'others'));
  });
});

function crontabOf(result: unknown): KubeObject {
  return (result as { object: KubeObject }).object;
}
