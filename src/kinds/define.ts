import type { FieldError } from '../api/field-error.ts';
import type { KubeObject, Resource } from '../api/resource.ts';
import { builtinSchema } from '../api/schemas.ts';
import { assert } from '../base/assert.ts';
import { nameAndAge } from './columns.ts';
import { asLoose, type Loose, metaOf } from './draft.ts';
import type { Column, Draft, KindDefinition, ScalePaths, StrategyContext, SubresourceStrategy } from './kind.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from './object-meta.ts';
import { semanticEqual } from './semantic-equal.ts';

/** What a built-in kind says of itself; the rest is common behaviour. */
export interface KindParts<T extends KubeObject> {
  readonly defaults?: (object: Loose<T>) => void;
  /** After status was cleared and generation set. */
  readonly onCreate?: (object: Loose<T>, context: StrategyContext) => void;
  /** After status was kept and before generation is counted. */
  readonly onUpdate?: (next: Loose<T>, old: Loose<T>, context: StrategyContext) => void;
  /** Everything but metadata, which `defineKind` checks. */
  readonly validate?: (object: Loose<T>) => readonly FieldError[];
  /** Everything but metadata. Default: the checks of `validate`. */
  readonly validateUpdate?: (next: Loose<T>, old: Loose<T>) => readonly FieldError[];
  /** Extra checks of a write to `status`, metadata apart. */
  readonly validateStatus?: (next: Loose<T>, old: Loose<T>) => readonly FieldError[];
  /** Changes a write to `status` further, once everything but status was kept. */
  readonly onStatusUpdate?: (next: Loose<T>, old: Loose<T>, context: StrategyContext) => void;
  /** True where a write to `status` may not change labels and annotations either (ResetObjectMetaForStatus). */
  readonly statusKeepsMeta?: boolean;
  readonly warnings?: (object: Loose<T>, old: Loose<T> | undefined) => readonly string[];
  readonly subresources?: Readonly<Record<string, SubresourceStrategy>>;
  readonly scale?: ScalePaths;
  readonly columns?: readonly Column[];
  readonly selectableFields?: Readonly<Record<string, (object: Loose<T>) => string>>;
  readonly createOnUpdate?: boolean;
  /** Generation is counted on every change outside metadata and status. */
  readonly hasGeneration?: boolean;
  /** Generation counts changes of annotations too. */
  readonly annotationsCount?: boolean;
  /** A create may bring its status along (nodes, custom resource definitions in part). */
  readonly createsWithStatus?: boolean;
  readonly validateName?: (name: string, isPrefix: boolean) => readonly string[];
  readonly gracePeriod?: (object: Loose<T>, requested: number | undefined) => number | undefined;
  readonly defaultDeletion?: 'Orphan' | 'Background';
  readonly storage?: KindDefinition['storage'];
  /** Answers without an object in the store (reviews): metadata is not checked. */
  readonly virtual?: boolean;
}

const outsideStatus = (object: Draft): Draft => {
  const { metadata: _metadata, status: _status, apiVersion: _apiVersion, kind: _kind, ...rest } = object;
  return rest;
};

/** A built-in kind, with what the registries of upstream have in common filled in. */
export function defineKind<T extends KubeObject>(resource: Resource<T>, parts: KindParts<T>): KindDefinition {
  const { definition } = resource;
  assert(definition !== undefined, `${resource.plural} has no definition`);
  const hasStatus = resource.subresources?.some((it) => it.name === 'status') ?? false;
  const loose = (object: Draft | KubeObject): Loose<T> => asLoose<T>(object);
  const { validateName } = parts;

  const status: SubresourceStrategy = {
    prepareForUpdate(next, old, context) {
      const from = old as Draft;
      keepDeletion(next, old);
      for (const key of Object.keys(next)) if (!statusFields.has(key) && !(key in from)) delete next[key];
      for (const key in from) if (!statusFields.has(key)) next[key] = from[key];
      if (parts.hasGeneration) metaOf(next).generation = old.metadata?.generation ?? 0;
      if (parts.statusKeepsMeta) keepMeta(next, old);
      parts.onStatusUpdate?.(loose(next), loose(old), context);
    },
    validateUpdate: (next, old) => [
      ...validateObjectMetaUpdate(next.metadata, old.metadata),
      ...(parts.validateStatus?.(loose(next), loose(old)) ?? []),
    ],
  };

  return {
    resource: resource as Resource,
    schema: () => builtinSchema(definition),
    ...(parts.storage && { storage: parts.storage }),
    ...(parts.defaults && { defaults: (object: Draft) => parts.defaults?.(loose(object)) }),
    prepareForCreate(object, context) {
      if (hasStatus && !parts.createsWithStatus) object['status'] = {};
      if (parts.hasGeneration) metaOf(object).generation = 1;
      parts.onCreate?.(loose(object), context);
    },
    prepareForUpdate(next, old, context) {
      keepDeletion(next, old);
      if (hasStatus) {
        const kept = (old as Draft)['status'];
        if (kept === undefined) delete next['status'];
        else next['status'] = kept;
      }
      parts.onUpdate?.(loose(next), loose(old), context);
      if (parts.hasGeneration) {
        const before = old.metadata?.generation ?? 0;
        const same =
          semanticEqual(outsideStatus(next), outsideStatus(old as Draft)) &&
          (!parts.annotationsCount ||
            semanticEqual(next['metadata'] && metaOf(next).annotations, old.metadata?.annotations));
        metaOf(next).generation = same ? before : before + 1;
      }
    },
    validate: (object) => [
      ...(parts.virtual ? [] : validateObjectMeta(object.metadata, resource.namespaced, validateName)),
      ...(parts.validate?.(loose(object)) ?? []),
    ],
    validateUpdate: (next, old) => [
      ...validateObjectMetaUpdate(next.metadata, old.metadata),
      ...(parts.validateUpdate ? parts.validateUpdate(loose(next), loose(old)) : (parts.validate?.(loose(next)) ?? [])),
    ],
    ...(parts.warnings && {
      warnings: (object: KubeObject, old: KubeObject | undefined) =>
        parts.warnings?.(loose(object), old && loose(old)) ?? [],
    }),
    subresources: { ...(hasStatus && { status }), ...parts.subresources },
    ...(parts.scale && { scale: parts.scale }),
    columns: parts.columns ?? nameAndAge,
    ...(parts.selectableFields && {
      selectableFields: parts.selectableFields as Readonly<Record<string, (object: KubeObject) => string>>,
    }),
    ...(parts.createOnUpdate && { createOnUpdate: true }),
    ...(parts.hasGeneration && { hasGeneration: true }),
    ...(validateName && { validateName }),
    ...(parts.gracePeriod && {
      gracePeriod: (object: KubeObject, requested: number | undefined) => parts.gracePeriod?.(loose(object), requested),
    }),
    ...(parts.defaultDeletion && { defaultDeletion: parts.defaultDeletion }),
  };
}

const statusFields = new Set(['metadata', 'status', 'apiVersion', 'kind']);

/** An update never takes back or moves a deletion that is under way. */
function keepDeletion(next: Draft, old: KubeObject): void {
  const { deletionTimestamp, deletionGracePeriodSeconds } = old.metadata ?? {};
  const meta = metaOf(next);
  if (deletionTimestamp === undefined) return;
  meta.deletionTimestamp = deletionTimestamp;
  if (deletionGracePeriodSeconds !== undefined) meta.deletionGracePeriodSeconds ??= deletionGracePeriodSeconds;
}

/** Keeps of the old metadata what ResetObjectMetaForStatus keeps. */
function keepMeta(next: Draft, old: KubeObject): void {
  const meta = metaOf(next) as Draft;
  const from = (old.metadata ?? {}) as Draft;
  for (const key of ['deletionTimestamp', 'generation', 'labels', 'annotations', 'finalizers', 'ownerReferences']) {
    if (from[key] === undefined) delete meta[key];
    else meta[key] = from[key];
  }
}
