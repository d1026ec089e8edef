import { type FieldError, forbiddenField, notSupported, required } from '../../api/field-error.ts';
import { ingressclasses } from '../../api/generated/resources.ts';
import type { V1IngressClass } from '../../api/generated/types.ts';
import { ageColumn, columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { immutable } from '../object-meta.ts';

type IngressClass = Loose<V1IngressClass>;

function validateClass({ spec = {} }: IngressClass): FieldError[] {
  const errors: FieldError[] = [];
  const { controller = '', parameters } = spec;
  if (controller === '') errors.push(required('spec.controller'));
  if (!parameters) return errors;
  const at = 'spec.parameters';
  if (!parameters.kind) errors.push(required(`${at}.kind`));
  if (!parameters.name) errors.push(required(`${at}.name`));
  if (parameters.scope === undefined) errors.push(required(`${at}.scope`));
  else if (parameters.scope !== 'Cluster' && parameters.scope !== 'Namespace') {
    errors.push(notSupported(`${at}.scope`, parameters.scope, ['Cluster', 'Namespace']));
  }
  if (parameters.scope === 'Namespace' && !parameters.namespace) {
    errors.push(required(`${at}.namespace`, "`parameters.scope` is set to 'Namespace'"));
  }
  if (parameters.scope === 'Cluster' && parameters.namespace !== undefined) {
    errors.push(forbiddenField(`${at}.namespace`, "`parameters.scope` is set to 'Cluster'"));
  }
  return errors;
}

const { column } = columnsOf<V1IngressClass>();

export const ingressClassKind = defineKind(ingressclasses, {
  defaults: ({ spec }) => {
    if (spec?.parameters) spec.parameters.scope ??= 'Cluster';
  },
  hasGeneration: true,
  validate: validateClass,
  validateUpdate: (next, old) => [
    ...validateClass(next),
    ...immutable(next.spec?.controller, old.spec?.controller, 'spec.controller'),
  ],
  columns: [
    {
      ...nameColumn,
      cell: ({ metadata }) =>
        `${metadata?.name ?? ''}${metadata?.annotations?.['ingressclass.kubernetes.io/is-default-class'] === 'true' ? ' (default)' : ''}`,
    },
    column('Controller', 'Controller that is responsible for handling this class', (it) => it.spec?.controller ?? ''),
    column('Parameters', 'A reference to a resource with additional parameters', ({ spec = {} }) => {
      const { parameters } = spec;
      if (!parameters) return '<none>';
      const group = parameters.apiGroup === undefined ? '' : `.${parameters.apiGroup}`;
      return `${parameters.kind ?? ''}${group}/${parameters.name ?? ''}`;
    }),
    ageColumn,
  ],
});
