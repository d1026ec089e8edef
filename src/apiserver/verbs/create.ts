import type { ResourceResult } from '../../api/handler.ts';
import type { KubeObject, Live } from '../../api/resource.ts';
import { qualified } from '../../api/resource.ts';
import { alreadyExists, badRequest, conflict, invalidObject, StatusError, statusError } from '../../api/status.ts';
import { rfc3339 } from '../../base/clock.ts';
import { randomSuffix, randomUuid } from '../../base/random.ts';
import type { Draft } from '../../kinds/kind.ts';
import { type Operation, toStorage, toVersion } from '../core.ts';
import { encodeObject } from '../storage/codec.ts';
import { share } from '../storage/wire.ts';
import { admissionRequest, admit, rollback, validateAdmission } from './admit.ts';
import { decodeBody } from './body.ts';
import { fieldsOfWrite } from './fields.ts';
import { checkNamespace, dedupOwners, metaOf } from './metadata.ts';
import { recordWrite } from './spans.ts';
import { ttlOf } from './ttl.ts';

/** Names drawn before giving up (maxNameGenerationCreateAttempts). */
const attempts = 8;
/** What of a generateName is kept, so that five characters more still make a label. */
const longestPrefix = 58;

/** What only the server sets. */
const serverSet = ['resourceVersion', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink'];

/** create: admits, prepares, validates and stores a new object. */
export async function create(op: Operation): Promise<ResourceResult> {
  const body = decodeBody(op, op.request.body);
  const { name } = op.request;
  const meta = metaOf(body);
  if (name !== undefined && name !== '') {
    if (!meta['name']) meta['name'] = name;
    else if (meta['name'] !== name) throw nameMismatch(String(meta['name']), name);
  }
  const object = await createObject(op, toStorage(op.kind, op.stored, body));
  return { type: 'object', object: toVersion(op.kind, op.stored, object), created: true };
}

export const nameMismatch = (sent: string, expected: string): StatusError =>
  badRequest(`the name of the object (${sent}) does not match the name on the URL (${expected})`);

/** Puts a draft (storage version, from a create or an update that creates) through everything up to the store. */
export async function createObject(op: Operation, draft: Draft, tracked = false): Promise<Live> {
  const { core, stored, strategy } = op;
  const { kind } = stored;
  const it = { group: kind.resource.group, resource: kind.resource.plural };
  if (stored.loading) await stored.loading;
  const meta = metaOf(draft);
  checkNamespace(op, meta);
  dedupOwners(op, meta, false);
  if (meta['resourceVersion'] !== undefined && meta['resourceVersion'] !== '' && meta['resourceVersion'] !== '0') {
    throw statusError(500, '', 'resourceVersion should not be set on objects to be created');
  }
  for (const field of serverSet) if (Object.hasOwn(meta, field)) delete meta[field];
  meta['creationTimestamp'] = rfc3339(core.clock.now());
  meta['uid'] = randomUuid(core.random);
  if (!tracked) fieldsOfWrite(op, undefined, draft);

  const prefix = typeof meta['generateName'] === 'string' && !meta['name'] ? meta['generateName'] : '';
  const request = admissionRequest(op, 'CREATE', String(meta['name'] ?? ''), draft, undefined);
  const admitting = admit(op, request);
  if (admitting) await admitting;
  dedupOwners(op, meta, true);
  if (prefix !== '') meta['name'] = generateName(op, prefix);
  kind.prepareForCreate?.(draft, strategy);
  const object = draft as KubeObject;
  const errors = kind.validate?.(object) ?? [];
  if (errors.length > 0)
    throw invalidObject(kind.resource.group, kind.resource.kind, String(meta['name'] ?? ''), errors);
  for (const warning of kind.warnings?.(object, undefined) ?? []) strategy.warn(warning);
  const named = prefix === '' ? request : { ...request, name: String(meta['name']) };
  const validating = validateAdmission(op, named);
  if (validating) await validating;

  for (let attempt = 1; ; attempt++) {
    const name = String(meta['name']);
    const existing = stored.cache.objects.get(op.namespace, name);
    if (!existing) {
      if (op.request.options.dryRun) return dryRun(op, draft);
      const committingAt = core.clock.monotonic();
      let outcome: Awaited<ReturnType<typeof core.storage.create>>;
      try {
        outcome = await core.storage.create(stored, op.namespace, name, draft, ttlOf(kind));
      } catch (error) {
        await rollback(op, named);
        throw error;
      }
      if (outcome.type === 'done') {
        recordWrite(op, 'create', outcome.object, outcome.revision, committingAt);
        return outcome.object;
      }
    }
    if (prefix !== '' && attempt < attempts) {
      meta['name'] = generateName(op, prefix);
      continue;
    }
    await rollback(op, named);
    if (prefix !== '') throw generatedNameTaken(it, name);
    throw existing?.metadata.deletionTimestamp ? beingDeleted(it, name) : alreadyExists(it, name);
  }
}

const generateName = (op: Operation, prefix: string): string =>
  prefix.slice(0, longestPrefix) + randomSuffix(op.core.random);

/** What would have been stored, without a resourceVersion. */
const dryRun = (op: Operation, draft: Draft): Live =>
  share(encodeObject(op.stored.kind, draft).draft as unknown as Live);

function generatedNameTaken(it: { group: string; resource: string }, name: string): StatusError {
  const message = `${qualified(it)} "${name}" already exists, the server was not able to generate a unique name for the object`;
  const { status } = alreadyExists(it, name);
  return new StatusError({ ...status, message, details: { ...status.details, retryAfterSeconds: 1 } });
}

function beingDeleted(it: { group: string; resource: string }, name: string): StatusError {
  const { status } = alreadyExists(it, name);
  return new StatusError({ ...status, message: `object is being deleted: ${status.message ?? ''}` });
}

export const uidConflict = (
  it: { group: string; resource: string },
  name: string,
  key: string,
  wanted: string,
  found: string,
) =>
  conflict(
    it,
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${wanted}, UID in object meta: ${found}`,
  );
