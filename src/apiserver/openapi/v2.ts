import type { Draft } from '../../api/draft.ts';
import type { KindRegistry } from '../contracts.ts';
import { collectDefinitions } from './definitions.ts';
import { reference } from './dialect.ts';
import { definitionsUsed, type Operation, type Parameter, pathsOf } from './operations.ts';

const produces = ['application/json', 'application/yaml'];

const parameterIn = (parameter: Parameter): Draft => ({
  ...parameter,
  ...(parameter.in === 'path' && { required: true }),
  uniqueItems: true,
});

function operationIn(operation: Operation, tag: string): Draft {
  const { body } = operation;
  const bodyParameter =
    body === undefined
      ? []
      : [
          {
            in: 'body',
            name: 'body',
            ...(operation.bodyRequired && { required: true }),
            schema: reference('v2', body),
          },
        ];
  return {
    consumes: operation.consumes,
    description: operation.description,
    operationId: operation.id,
    parameters: [...bodyParameter, ...operation.parameters.map(parameterIn)],
    produces: operation.action === 'list' ? [...produces, 'application/json;stream=watch'] : produces,
    responses: {
      ...Object.fromEntries(
        Object.entries(operation.responses).map(([code, { description, definition }]) => [
          code,
          { description, schema: reference('v2', definition) },
        ]),
      ),
      '401': { description: 'Unauthorized' },
    },
    schemes: ['https'],
    tags: [tag],
    'x-kubernetes-action': operation.action,
    'x-kubernetes-group-version-kind': operation.gvk,
  };
}

/** The one document of everything at `/openapi/v2`. */
export function buildOpenApiV2(registry: KindRegistry): Draft {
  const kinds = registry.list();
  const items = kinds.flatMap((kind) => {
    const { group, version } = kind.resource;
    const tag = `${group === '' ? 'core' : group.replace(/\.k8s\.io$/, '').replaceAll('.', '')}_${version}`;
    return pathsOf(kind).map((item) => ({ item, tag }));
  });
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths: Object.fromEntries(
      items
        .map(({ item, tag }): readonly [string, Draft] => [
          item.path,
          {
            ...Object.fromEntries(item.operations.map((operation) => [operation.method, operationIn(operation, tag)])),
            parameters: item.parameters.map(parameterIn),
          },
        ])
        .sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
    definitions: collectDefinitions('v2', definitionsUsed(items.map(({ item }) => item)), kinds),
    security: [{ BearerToken: [] }],
    securityDefinitions: {
      BearerToken: { description: 'Bearer Token authentication', in: 'header', name: 'authorization', type: 'apiKey' },
    },
  };
}
