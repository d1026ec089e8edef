import { copyJson, isRecord } from '../../api/draft.ts';
import { invalid } from '../../api/field-error.ts';
import type { ResourceResult } from '../../api/handler.ts';
import { formatSelector, requirementsOf, SelectorError } from '../../api/label-selector.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import { builtinSchema } from '../../api/schemas.ts';
import { badRequest, conflict, invalidObject, modifiedDetail } from '../../api/status.ts';
import { assert, defined } from '../../base/assert.ts';
import type { Draft, ScalePaths } from '../../kinds/kind.ts';
import type { Operation } from '../core.ts';
import { objectKey } from '../storage/keys.ts';
import { nameMismatch, uidConflict } from './create.ts';
import { currentObject, readyFor } from './get.ts';
import { metaOf } from './metadata.ts';
import { patched } from './patch.ts';
import { guaranteedUpdate } from './update.ts';

/** The scale subresource of any kind that says where its replica counts are. */
export async function scale(op: Operation): Promise<ResourceResult> {
  const { request, stored } = op;
  const paths = defined(stored.kind.scale, `${stored.kind.resource.plural} has no scale`);
  if (request.verb === 'get') {
    await readyFor(op, request.options.resourceVersion);
    return { type: 'answer', code: 200, object: scaleOf(currentObject(op), paths) };
  }
  const { object } = await guaranteedUpdate(
    { ...op, request: withoutSubresource(op) },
    {
      produce(old) {
        assert(old, 'a scale of nothing');
        return changed(op, old, wanted(op, old, paths), paths);
      },
      allowCreate: false,
      attempts: 6,
    },
  );
  return { type: 'answer', code: 200, object: scaleOf(object, paths) };
}

const withoutSubresource = (op: Operation): Operation['request'] => {
  const { subresource: _subresource, ...rest } = op.request;
  return rest;
};

/** The Scale that the client wants, from its body or its patch. */
function wanted(op: Operation, old: Live, paths: ScalePaths): Draft {
  const { body, patch } = op.request;
  if (patch) {
    const schema = builtinSchema('io.k8s.api.autoscaling.v1.Scale');
    const type = patch.type === 'application/apply-patch+yaml' ? 'application/merge-patch+json' : patch.type;
    return patched(schema, scaleOf(old, paths) as unknown as Draft, type, patch.body);
  }
  if (!isRecord(body)) throw badRequest('the object provided is unrecognized (must be of type Scale)');
  if (body['kind'] !== undefined && body['kind'] !== 'Scale') {
    throw badRequest(`expected input object type to be Scale, but ${String(body['kind'])}`);
  }
  return body;
}

function changed(op: Operation, old: Live, scaled: Draft, paths: ScalePaths): Draft {
  const meta = metaOf(copyJson({ metadata: scaled['metadata'] ?? {} }));
  const { resource } = op.stored.kind;
  const it = { group: resource.group, resource: resource.plural };
  const name = old.metadata.name;
  if (meta['name'] !== undefined && meta['name'] !== '' && meta['name'] !== name)
    throw nameMismatch(String(meta['name']), name);
  if (meta['uid'] && meta['uid'] !== old.metadata.uid) {
    throw uidConflict(it, name, objectKey(op.stored.prefix, op.namespace, name), String(meta['uid']), old.metadata.uid);
  }
  if (meta['resourceVersion'] && meta['resourceVersion'] !== old.metadata.resourceVersion)
    throw conflict(it, name, modifiedDetail);
  const spec = isRecord(scaled['spec']) ? scaled['spec'] : {};
  const replicas = spec['replicas'] ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas))
    throw badRequest('Scale.spec.replicas must be a number');
  if (replicas < 0) {
    throw invalidObject('autoscaling', 'Scale', name, [
      invalid('spec.replicas', replicas, 'must be greater than or equal to 0'),
    ]);
  }
  const next = copyJson(old) as unknown as Draft;
  setPath(next, paths.specReplicas, replicas);
  return next;
}

function scaleOf(object: Live, paths: ScalePaths): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.selector === undefined ? undefined : selectorText(getPath(object, paths.selector));
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace && { namespace }), uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberAt(object, paths.specReplicas) },
    status: { replicas: numberAt(object, paths.statusReplicas), ...(selector && { selector }) },
  } as KubeObject;
}

function selectorText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (!isRecord(value)) return undefined;
  try {
    const isSelector = 'matchLabels' in value || 'matchExpressions' in value;
    return formatSelector(requirementsOf(isSelector ? value : { matchLabels: value as Record<string, string> }) ?? []);
  } catch (error) {
    if (error instanceof SelectorError) return undefined;
    throw error;
  }
}

const partsOf = (path: string): readonly string[] => path.split('.').filter((part) => part !== '');

function getPath(object: unknown, path: string): unknown {
  let at: unknown = object;
  for (const part of partsOf(path)) at = isRecord(at) ? at[part] : undefined;
  return at;
}

const numberAt = (object: unknown, path: string): number => {
  const value = getPath(object, path);
  return typeof value === 'number' ? value : 0;
};

function setPath(draft: Draft, path: string, value: unknown): void {
  const parts = partsOf(path);
  let at = draft;
  for (const part of parts.slice(0, -1)) {
    const below = at[part];
    if (isRecord(below)) at = below;
    else {
      const made: Draft = {};
      at[part] = made;
      at = made;
    }
  }
  at[parts.at(-1) ?? ''] = value;
}
