import { type FieldError, forbiddenField, invalid, required } from '../api/field-error.ts';
import type { V1LabelSelector } from '../api/generated/types.ts';
import { labelValue, qualifiedName } from '../api/names.ts';
import type { Loose } from './draft.ts';

type Labels = Readonly<Record<string, string | undefined>>;

/** Errors in a map of labels (apimachinery's ValidateLabels). */
export function validateLabels(labels: Labels | undefined, path: string): FieldError[] {
  const errors: FieldError[] = [];
  for (const key in labels) {
    const value = labels[key] ?? '';
    for (const reason of qualifiedName(key)) errors.push(invalid(path, key, reason));
    for (const reason of labelValue(value)) errors.push(invalid(path, value, reason));
  }
  return errors;
}

export function validateLabelName(name: string, path: string): FieldError[] {
  return qualifiedName(name).map((reason) => invalid(path, name, reason));
}

/** Errors in a label selector (apimachinery's ValidateLabelSelector). */
export function validateLabelSelector(selector: Loose<V1LabelSelector> | undefined, path: string): FieldError[] {
  if (!selector) return [];
  const errors = validateLabels(selector.matchLabels, `${path}.matchLabels`);
  selector.matchExpressions?.forEach((expression, i) => {
    const at = `${path}.matchExpressions[${i}]`;
    const { key = '', operator = '', values = [] } = expression;
    switch (operator) {
      case 'In':
      case 'NotIn':
        if (values.length === 0) {
          errors.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"));
        }
        break;
      case 'Exists':
      case 'DoesNotExist':
        if (values.length > 0) {
          errors.push(
            forbiddenField(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"),
          );
        }
        break;
      default:
        errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    errors.push(...validateLabelName(key, `${at}.key`));
    values.forEach((value, j) => {
      for (const reason of labelValue(value)) errors.push(invalid(`${at}.values[${j}]`, value, reason));
    });
  });
  return errors;
}

/** Whether the labels satisfy the selector; an absent selector matches nothing, an empty one everything. */
export function selectorMatches(selector: Loose<V1LabelSelector> | undefined, labels: Labels = {}): boolean {
  if (!selector) return false;
  for (const key in selector.matchLabels) if (labels[key] !== selector.matchLabels[key]) return false;
  return (selector.matchExpressions ?? []).every(({ key = '', operator, values = [] }) => {
    const value = labels[key];
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value);
      case 'NotIn':
        return value === undefined || !values.includes(value);
      case 'Exists':
        return value !== undefined;
      default:
        return value === undefined;
    }
  });
}

export function isEmptySelector(selector: Loose<V1LabelSelector> | undefined): boolean {
  return Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions?.length ?? 0) === 0;
}

/** `a=b,c=d` sorted by key; `<none>` when empty (labels.FormatLabels). */
export function formatLabels(labels: Labels | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? '<none>' : keys.map((key) => `${key}=${labels?.[key] ?? ''}`).join(',');
}

/** A selector as text, as metav1.FormatLabelSelector prints it: `a=b,c in (d,e),!f`; `<none>` when it selects all. */
export function formatSelector(selector: Loose<V1LabelSelector> | undefined): string {
  if (!selector) return '<none>';
  const parts: { key: string; text: string }[] = [];
  for (const key of Object.keys(selector.matchLabels ?? {})) {
    parts.push({ key, text: `${key}=${selector.matchLabels?.[key] ?? ''}` });
  }
  for (const { key = '', operator, values = [] } of selector.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(',')})`;
    switch (operator) {
      case 'In':
        parts.push({ key, text: `${key} in ${list}` });
        break;
      case 'NotIn':
        parts.push({ key, text: `${key} notin ${list}` });
        break;
      case 'Exists':
        parts.push({ key, text: key });
        break;
      case 'DoesNotExist':
        parts.push({ key, text: `!${key}` });
        break;
      default:
        return '<error>';
    }
  }
  if (parts.length === 0) return '<none>';
  return parts
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map((it) => it.text)
    .join(',');
}
