import { isRecord } from '../../api/draft.ts';
import { required } from '../../api/field-error.ts';
import type { ResourceResult } from '../../api/handler.ts';
import { applyObject } from '../../api/managed-fields/apply-object.ts';
import { apiVersionOf } from '../../api/resource.ts';
import { badRequest, invalidObject } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { type Operation, toStorage, toVersion } from '../core.ts';
import { decodeDraft, decodeForApply } from './body.ts';
import { nameMismatch } from './create.ts';
import { resetFields } from './fields.ts';
import { checkNamespace, metaOf } from './metadata.ts';
import { guaranteedUpdate } from './update.ts';

/** Server-side apply: lays the sent fields over the object, or makes it. */
export async function apply(op: Operation, body: unknown): Promise<ResourceResult> {
  const { kind, stored, request } = op;
  const { fieldManager, force } = request.options;
  if (!fieldManager) {
    throw invalidObject('meta.k8s.io', 'PatchOptions', '', [required('fieldManager', 'is required for apply patch')]);
  }
  if (!isRecord(body)) throw badRequest('error decoding YAML: the patch is not an object');
  const apiVersion = apiVersionOf(kind.resource);
  if (typeof body['apiVersion'] !== 'string' || typeof body['kind'] !== 'string') {
    throw badRequest('invalid object type: /, Kind=');
  }
  const applied = decodeForApply(op, body);
  const meta = metaOf(applied);
  const name = request.name ?? '';
  if (meta['name'] === undefined || meta['name'] === '') meta['name'] = name;
  else if (meta['name'] !== name) throw nameMismatch(String(meta['name']), name);
  checkNamespace(op, meta);
  const { uid } = meta;
  const { object, created } = await guaranteedUpdate(op, {
    produce(old) {
      const live = old && toVersion(kind, stored, old);
      const result = applyObject({
        schema: kind.schema(),
        live,
        applied,
        manager: fieldManager,
        force: force === true,
        apiVersion,
        ...(request.subresource !== undefined && { subresource: request.subresource }),
        now: rfc3339(op.core.clock.now()),
        resetFields: resetFields(stored.kind, request.subresource, applied),
      });
      return toStorage(kind, stored, decodeDraft(op, result.object));
    },
    allowCreate: request.subresource === undefined,
    ...(typeof uid === 'string' && uid !== '' && { uid }),
    tracked: true,
    attempts: 6,
  });
  return { type: 'object', object: toVersion(kind, stored, object), created };
}
