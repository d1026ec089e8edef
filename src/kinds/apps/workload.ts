/** What kinds that make pods from a template have in common. */
import { type FieldError, forbiddenField, invalid, notSupported, required } from '../../api/field-error.ts';
import type { V1Container, V1LabelSelector, V1PodTemplateSpec } from '../../api/generated/types.ts';
import type { KubeObject } from '../../api/resource.ts';
import { nonNegative } from '../checks.ts';
import { columnsOf } from '../columns.ts';
import { validatePodTemplate } from '../core/pod-validation.ts';
import type { Loose } from '../draft.ts';
import type { Column } from '../kind.ts';
import { isEmptySelector, selectorMatches, validateLabelSelector } from '../labels.ts';

type Template = Loose<V1PodTemplateSpec>;
type Selector = Loose<V1LabelSelector>;

export const containerNames = (containers: readonly Loose<V1Container>[] = []): string =>
  containers.map((it) => it.name ?? '').join(',');
export const containerImages = (containers: readonly Loose<V1Container>[] = []): string =>
  containers.map((it) => it.image ?? '').join(',');

/** The columns that `-o wide` adds for a template: containers and their images. */
export function templateColumns<T extends KubeObject>(
  templateOf: (object: Loose<T>) => Template | undefined,
): readonly Column[] {
  const { wide } = columnsOf<T>();
  return [
    wide('Containers', 'Names of each container in the template.', (it) =>
      containerNames(templateOf(it)?.spec?.containers),
    ),
    wide('Images', 'Images referenced by each container in the template.', (it) =>
      containerImages(templateOf(it)?.spec?.containers),
    ),
  ];
}

export const mismatch = '`selector` does not match template `labels`';

/** A selector that is needed, sound and not empty. `kind` ends the message. */
export function validateNeededSelector(selector: Selector | undefined, path: string, kind: string): FieldError[] {
  if (!selector) return [required(path)];
  const errors = validateLabelSelector(selector, path);
  if (isEmptySelector(selector)) errors.push(invalid(path, selector, `empty selector is invalid for ${kind}`));
  return errors;
}

/** A template whose pods live until they are deleted: selected, always restarted, without deadline. */
export function validateLastingTemplate(
  template: Template | undefined,
  selector: Selector | undefined,
  path: string,
  kind: string,
): FieldError[] {
  if (!template) return [required(path)];
  const errors: FieldError[] = [];
  const labels = template.metadata?.labels;
  if (selector && !isEmptySelector(selector) && !selectorMatches(selector, labels)) {
    errors.push(invalid(`${path}.metadata.labels`, labels ?? null, mismatch));
  }
  errors.push(...validatePodTemplate(template, path), ...validateLasting(template, path, kind));
  return errors;
}

export function validateLasting(template: Template, path: string, kind: string): FieldError[] {
  const errors: FieldError[] = [];
  const { restartPolicy = '', activeDeadlineSeconds } = template.spec ?? {};
  if (restartPolicy !== 'Always') {
    errors.push(notSupported(`${path}.spec.restartPolicy`, restartPolicy, ['Always']));
  }
  if (activeDeadlineSeconds !== undefined) {
    const detail = `activeDeadlineSeconds in ${kind} is not Supported`;
    errors.push(forbiddenField(`${path}.spec.activeDeadlineSeconds`, detail));
  }
  return errors;
}

/** Counts in a status: none negative, none above the total. */
export function validateCounts(status: object | undefined, counts: readonly string[], total: string): FieldError[] {
  const numbers = (status ?? {}) as Readonly<Record<string, number | undefined>>;
  const errors = [total, ...counts].flatMap((field) => nonNegative(`status.${field}`, numbers[field]));
  for (const field of counts) {
    if ((numbers[field] ?? 0) > (numbers[total] ?? 0)) {
      errors.push(invalid(`status.${field}`, numbers[field], `cannot be greater than status.${total}`));
    }
  }
  return errors;
}

/** `status.collisionCount` never goes down. */
export function validateCollisions(
  next: { readonly collisionCount?: number } | undefined,
  old: { readonly collisionCount?: number } | undefined,
): FieldError[] {
  const before = old?.collisionCount;
  if (before === undefined || (next?.collisionCount ?? -1) >= before) return [];
  return [invalid('status.collisionCount', next?.collisionCount ?? 0, 'cannot be decremented')];
}
