import { isRecord, setOwn } from '../../api/draft.ts';
import { shareFields } from '../../api/managed-fields/field-set.ts';
import type { Live } from '../../api/resource.ts';
import { apiVersionOf } from '../../api/resource.ts';
import type { Draft, KindDefinition } from '../../kinds/kind.ts';
import { metadataOffset, share } from './wire.ts';

/** An object on its way into the store: its final draft and the bytes that go there. */
export interface Encoded {
  readonly draft: Draft;
  readonly bytes: Buffer;
  /** Where resourceVersion goes into the bytes. */
  readonly at: number;
}

/** Turns a draft in storage version into bytes: kind and apiVersion first, then metadata without resourceVersion. */
export function encodeObject(kind: KindDefinition, draft: Draft): Encoded {
  const { resource } = kind;
  const apiVersion = apiVersionOf(resource);
  const ordered: Draft = { kind: resource.kind, apiVersion, metadata: withoutVersion(draft['metadata']) };
  for (const field of Object.keys(draft)) {
    if (field !== 'kind' && field !== 'apiVersion' && field !== 'metadata') setOwn(ordered, field, draft[field]);
  }
  return { draft: ordered, bytes: Buffer.from(JSON.stringify(ordered)), at: metadataOffset(resource.kind, apiVersion) };
}

/** The draft's own metadata where nobody else can hold it and it names no revision yet; else a copy. */
function withoutVersion(metadata: unknown): Draft {
  if (!isRecord(metadata)) return {};
  if (!Object.hasOwn(metadata, 'resourceVersion') && !Object.isFrozen(metadata)) return metadata;
  const { resourceVersion: _resourceVersion, ...rest } = metadata;
  return rest;
}

/** The shared object that a write has become at `revision`: the writer's own draft, not parsed again. */
export function liveOf(encoded: Encoded, revision: number): Live {
  const { draft, bytes, at } = encoded;
  (draft['metadata'] as Draft)['resourceVersion'] = String(revision);
  return share(draft, bytes, at);
}

/** Reads stored bytes. `kindOf` finds the definition of another version that the bytes may be in. */
export function decodeObject(
  kind: KindDefinition,
  bytes: Uint8Array,
  revision: number,
  kindOf: (apiVersion: string) => KindDefinition | undefined,
): Live {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  let draft = JSON.parse(text) as Draft;
  const apiVersion = apiVersionOf(kind.resource);
  const opening = `{"kind":"${kind.resource.kind}","apiVersion":"${apiVersion}","metadata":{`;
  let asStored = text.startsWith(opening);
  if (draft['apiVersion'] !== apiVersion) {
    const storage = kindOf(String(draft['apiVersion']))?.storage;
    if (storage) draft = storage.toStorage(draft);
    draft['apiVersion'] = apiVersion;
  }
  if (kind.defaults) {
    const before = asStored ? countFields(draft) : 0;
    kind.defaults(draft);
    // Defaults only fill what is missing: as many fields as before means that nothing was.
    asStored &&= countFields(draft) === before;
  }
  const meta = draft['metadata'] as Draft;
  shareManagedFields(meta);
  meta['resourceVersion'] = String(revision);
  return asStored ? share(draft, bytes, opening.length) : share(draft);
}

function countFields(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = 0;
  for (const key in value) count += 1 + countFields((value as Draft)[key]);
  return count;
}

function shareManagedFields(meta: Draft): void {
  const entries = meta['managedFields'];
  if (!Array.isArray(entries)) return;
  for (const entry of entries as { fieldsV1?: unknown }[]) {
    if (isRecord(entry.fieldsV1)) entry.fieldsV1 = shareFields(entry.fieldsV1);
  }
}
