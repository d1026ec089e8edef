import { duplicate, type FieldError, forbiddenField, invalid, required } from '../../api/field-error.ts';
import { limitranges } from '../../api/generated/resources.ts';
import type { V1LimitRange, V1LimitRangeItem } from '../../api/generated/types.ts';
import { qualifiedName } from '../../api/names.ts';
import { quantityNumber, tryParseQuantity } from '../../api/quantity.ts';
import { invalids } from '../checks.ts';
import { columnsOf, nameColumn } from '../columns.ts';
import { defineKind } from '../define.ts';
import type { Loose } from '../draft.ts';
import { isOvercommitAllowed, validateContainerResourceName, validateResourceName } from './resource-names.ts';

type Item = Loose<V1LimitRangeItem>;

/** A container's default limit comes from the maximum, its default request from that or the minimum. */
function defaultItem(item: Item): void {
  if (item.type !== 'Container') return;
  item.default ??= {};
  item.defaultRequest ??= {};
  for (const name in item.max) item.default[name] ??= item.max[name];
  for (const name in item.default) item.defaultRequest[name] ??= item.default[name];
  for (const name in item.min) item.defaultRequest[name] ??= item.min[name];
}

const lists = ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const;

function validateNames(item: Item, path: string): FieldError[] {
  const { type = '' } = item;
  const errors: FieldError[] = [];
  const check = type === 'Pod' || type === 'Container' ? validateContainerResourceName : validateResourceName;
  for (const list of lists) {
    if (type === 'Pod' && (list === 'default' || list === 'defaultRequest')) {
      if (Object.keys(item[list] ?? {}).length > 0) {
        errors.push(forbiddenField(`${path}.${list}`, "may not be specified when `type` is 'Pod'"));
      }
      continue;
    }
    for (const name in item[list]) errors.push(...check(name, `${path}.${list}[${name}]`));
  }
  if (type === 'PersistentVolumeClaim' && !item.min?.['storage'] && !item.max?.['storage']) {
    const detail = 'either minimum or maximum storage value is required, but neither was provided';
    errors.push(required(`${path}.limits`, detail));
  }
  return errors;
}

function validateAmounts(item: Item, name: string, path: string): FieldError[] {
  const errors: FieldError[] = [];
  const [max, min, fallback, request, ratio] = lists.map((list) => tryParseQuantity(item[list]?.[name]));
  const at = (list: string): string => `${path}.${list}[${name}]`;
  type Amount = typeof max;
  const ordered = (low: Amount, lowName: string, high: Amount, highName: string, list: string, shown: Amount): void => {
    if (!low || !high || low.nano <= high.nano) return;
    const detail = `${lowName} value ${low.text} is greater than ${highName} value ${high.text}`;
    errors.push(invalid(at(list), shown?.text, detail));
  };
  ordered(min, 'min', max, 'max', 'min', min);
  ordered(min, 'min', request, 'default request', 'defaultRequest', request);
  ordered(request, 'default request', max, 'max', 'defaultRequest', request);
  ordered(request, 'default request', fallback, 'default limit', 'defaultRequest', request);
  ordered(min, 'min', fallback, 'default', 'default', min);
  ordered(fallback, 'default', max, 'max', 'default', max);
  if (ratio && ratio.nano < 1_000_000_000n) {
    errors.push(invalid(at('maxLimitRequestRatio'), ratio.text, `ratio ${ratio.text} is less than 1`));
  }
  if (ratio && min && max && min.nano > 0n) {
    const most = quantityNumber(max) / quantityNumber(min);
    if (quantityNumber(ratio) > most) {
      const detail = `ratio ${ratio.text} is greater than max/min = ${most.toFixed(6)}`;
      errors.push(invalid(at('maxLimitRequestRatio'), ratio.text, detail));
    }
  }
  if (!isOvercommitAllowed(name) && fallback && request && fallback.nano !== request.nano) {
    const detail = `default value ${fallback.text} must equal to defaultRequest value ${request.text} in ${name}`;
    errors.push(invalid(at('defaultRequest'), request.text, detail));
  }
  return errors;
}

function validateLimits(range: Loose<V1LimitRange>): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  range.spec?.limits?.forEach((item, i) => {
    const at = `spec.limits[${i}]`;
    const { type = '' } = item;
    const reasons = qualifiedName(type);
    if (reasons.length > 0) errors.push(...invalids(`${at}.type`, type, reasons));
    else if (!type.includes('/') && !['Pod', 'Container', 'PersistentVolumeClaim'].includes(type)) {
      errors.push(invalid(`${at}.type`, type, 'must be a standard limit type or fully qualified'));
    }
    if (seen.has(type)) errors.push(duplicate(`${at}.type`, type));
    seen.add(type);
    errors.push(...validateNames(item, at));
    const names = new Set(lists.flatMap((list) => Object.keys(item[list] ?? {})));
    for (const name of names) errors.push(...validateAmounts(item, name, at));
  });
  return errors;
}

const { column } = columnsOf<V1LimitRange>();

export const limitRangeKind = defineKind(limitranges, {
  defaults: (range) => range.spec?.limits?.forEach(defaultItem),
  validate: validateLimits,
  createOnUpdate: true,
  // Upstream has no printer of its own for this kind: the time of creation is shown.
  columns: [
    nameColumn,
    column('Created At', 'When the object was made.', (it) => it.metadata?.creationTimestamp ?? '', 'date'),
  ],
});
