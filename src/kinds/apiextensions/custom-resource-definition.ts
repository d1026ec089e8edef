import { customresourcedefinitions } from '../../api/generated/resources.ts';
import type { V1CustomResourceDefinition } from '../../api/generated/types.ts';
import { columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import {
  validateCustomResourceDefinition,
  validateCustomResourceDefinitionUpdate,
  validateStoredVersions,
} from './crd-rules.ts';

/** Held until every instance is gone. Upstream adds it at deletion; here it is there from the start, so no deletion can overtake it. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

const strict = (object: Loose<V1CustomResourceDefinition>): V1CustomResourceDefinition =>
  object as unknown as V1CustomResourceDefinition;

const { column } = columnsOf<V1CustomResourceDefinition>();

function noteStorageVersion(object: Loose<V1CustomResourceDefinition>): void {
  const crd = object as unknown as {
    spec?: { versions?: { name: string; storage?: boolean }[] };
    status?: { storedVersions?: string[]; conditions?: unknown[]; acceptedNames?: unknown };
  };
  const storage = crd.spec?.versions?.find((version) => version.storage)?.name;
  if (storage === undefined) return;
  const status = crd.status ?? {};
  const stored = status.storedVersions ?? [];
  crd.status = { ...status, storedVersions: stored.includes(storage) ? stored : [...stored, storage] };
}

function keepFinalizer(object: Loose<V1CustomResourceDefinition>): void {
  const meta = (object as unknown as { metadata: { finalizers?: string[]; deletionTimestamp?: string } }).metadata;
  if (meta.deletionTimestamp !== undefined || meta.finalizers?.includes(cleanupFinalizer)) return;
  meta.finalizers = [...(meta.finalizers ?? []), cleanupFinalizer];
}

export const customResourceDefinitionKind = defineKind(customresourcedefinitions, {
  defaults(object) {
    const { spec } = object as unknown as {
      spec?: {
        names?: { kind?: string; singular?: string; listKind?: string };
        conversion?: { strategy?: string; webhook?: { clientConfig?: { service?: { port?: number } } } };
      };
    };
    if (!spec) return;
    const { names } = spec;
    if (names?.kind) {
      names.singular ??= names.kind.toLowerCase();
      names.listKind ??= `${names.kind}List`;
    }
    spec.conversion ??= { strategy: 'None' };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service) service.port ??= 443;
  },
  hasGeneration: true,
  onCreate(object) {
    noteStorageVersion(object);
    keepFinalizer(object);
  },
  onUpdate(next) {
    noteStorageVersion(next);
    keepFinalizer(next);
  },
  validate: (object) => validateCustomResourceDefinition(strict(object)),
  validateUpdate: (next, old) => validateCustomResourceDefinitionUpdate(strict(next), strict(old)),
  warnings(object) {
    const { conversion, versions = [] } = strict(object).spec ?? {};
    if (conversion?.strategy !== 'Webhook' || versions.filter((it) => it.served).length < 2) return [];
    return [
      'spec.conversion.strategy: conversion webhooks are not called by this server; objects are shown unconverted in versions other than the one they are stored in',
    ];
  },
  validateStatus: (next) => validateStoredVersions(strict(next)),
  columns: [
    nameColumn,
    column(
      'Created At',
      'CreationTimestamp is a timestamp representing the server time when this object was created. It is not guaranteed to be set in happens-before order across separate operations. Clients may not set this value. It is represented in RFC3339 form and is in UTC.\n\nPopulated by the system. Read-only. Null for lists. More info: https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md#metadata',
      (object) => object.metadata?.creationTimestamp ?? '',
      'date',
    ),
  ],
});
