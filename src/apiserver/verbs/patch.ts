import { copyJson, isRecord } from '../../api/draft.ts';
import type { PatchType, ResourceResult } from '../../api/handler.ts';
import { jsonPatch } from '../../api/json-patch.ts';
import { mergePatch } from '../../api/merge-patch.ts';
import { PatchError, patchStatus } from '../../api/patch-error.ts';
import type { Live } from '../../api/resource.ts';
import type { StructuralSchema } from '../../api/schema.ts';
import { badRequest, unsupportedMediaType } from '../../api/status.ts';
import { strategicMerge } from '../../api/strategic-merge-patch.ts';
import { assert } from '../../base/assert.ts';
import type { Draft } from '../../kinds/kind.ts';
import { type Operation, toStorage, toVersion } from '../core.ts';
import { apply } from './apply.ts';
import { decodeDraft } from './body.ts';
import { guaranteedUpdate } from './update.ts';

/** Tries against writers who are faster (patch.go: MaxRetryWhenPatchConflicts). */
const attempts = 6;

/** patch: changes an object by one of the four patch types; apply may create it. */
export async function patch(op: Operation): Promise<ResourceResult> {
  const { patch: sent } = op.request;
  assert(sent, 'a patch request without a patch');
  if (sent.type === 'application/apply-patch+yaml') return apply(op, sent.body);
  checkType(op, sent.type);
  const { object, created } = await guaranteedUpdate(op, {
    produce(old) {
      assert(old, 'a patch of nothing');
      const next = patched(op.kind.schema(), toVersion(op.kind, op.stored, old), sent.type, sent.body);
      return toStorage(op.kind, op.stored, decodeDraft(op, next));
    },
    allowCreate: false,
    attempts,
  });
  return { type: 'object', object: toVersion(op.kind, op.stored, object), created };
}

/** Throws UnsupportedMediaType for strategic merge on a custom resource, whose lists have no merge keys. */
export function checkType(op: Operation, type: PatchType): void {
  if (type === 'application/strategic-merge-patch+json' && op.kind.resource.definition === undefined) {
    throw unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }
}

/** The object after the patch, as a draft of its own. Throws the Status for a patch that cannot be applied. */
export function patched(schema: StructuralSchema, original: Live | Draft, type: PatchType, body: unknown): Draft {
  try {
    switch (type) {
      case 'application/json-patch+json':
        return asObject(jsonPatch(original, body));
      case 'application/merge-patch+json':
        return asObject(mergePatch(original, body));
      case 'application/strategic-merge-patch+json':
        if (!isRecord(body)) throw badRequest('cannot unmarshal a patch that is not an object');
        return strategicMerge(schema, copyJson(original) as Draft, body);
      case 'application/apply-patch+yaml':
        throw badRequest('an apply patch is not applied to a single state');
    }
  } catch (error) {
    throw error instanceof PatchError ? patchStatus(error) : error;
  }
}

const asObject = (value: unknown): Draft => {
  if (!isRecord(value)) throw badRequest('the patch leaves no object');
  return value;
};
