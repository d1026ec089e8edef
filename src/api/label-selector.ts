import { type FieldError, invalid, required, showFieldError } from './field-error.ts';
import { labelValue, qualifiedName } from './names.ts';
import { badRequest, type StatusError } from './status.ts';

export type SelectorOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt';

/** One condition on labels; an object must meet all of a selector's. After k8s.io/apimachinery/pkg/labels/selector.go. */
export interface Requirement {
  readonly key: string;
  readonly operator: SelectorOperator;
  /** Sorted, without repetition. */
  readonly values: readonly string[];
}

/** The object form of a selector, as in `spec.selector` of the workload kinds. */
export interface LabelSelectorObject {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** The text is no selector. The message is upstream's. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
}

type Token = 'end' | 'error' | 'identifier' | 'in' | 'notin' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<';
interface Item {
  readonly token: Token;
  readonly literal: string;
}

const symbols: ReadonlySet<string> = new Set(['=', '!', '(', ')', ',', '>', '<']);
const symbolTokens: ReadonlySet<string> = new Set(['=', '==', '!', '!=', '(', ')', ',', '>', '<']);
const isSpace = (char: string): boolean => char === ' ' || char === '\t' || char === '\r' || char === '\n';

/** A run of symbols gives its longest token; what follows is read again. A run that makes none is an error item. */
function readSymbol(text: string, from: number): { readonly item: Item; readonly next: number } {
  let best = '';
  let seen = '';
  let at = from;
  while (at < text.length && symbols.has(text.charAt(at))) {
    seen += text.charAt(at);
    if (symbolTokens.has(seen)) best = seen;
    else if (best !== '') break;
    at++;
  }
  if (best === '') return { item: { token: 'error', literal: `error expected: keyword found '${seen}'` }, next: at };
  return { item: { token: best as Token, literal: best }, next: from + best.length };
}

function scan(text: string): readonly Item[] {
  const items: Item[] = [];
  let at = 0;
  while (at < text.length) {
    const char = text.charAt(at);
    if (isSpace(char)) {
      at++;
    } else if (symbols.has(char)) {
      const { item, next } = readSymbol(text, at);
      items.push(item);
      at = next;
    } else {
      const start = at;
      while (at < text.length && !isSpace(text.charAt(at)) && !symbols.has(text.charAt(at))) at++;
      const literal = text.slice(start, at);
      items.push({ token: literal === 'in' || literal === 'notin' ? literal : 'identifier', literal });
    }
  }
  items.push({ token: 'end', literal: '' });
  return items;
}

const end: Item = { token: 'end', literal: '' };
const operatorByToken: Partial<Record<Token, SelectorOperator>> = {
  in: 'in',
  notin: 'notin',
  '=': '=',
  '==': '==',
  '!=': '!=',
  '>': 'gt',
  '<': 'lt',
};
const sorted = (values: Iterable<string>): readonly string[] => [...new Set(values)].sort();

/** How a path without a name prints in Go. */
const nowhere = '<nil>';

function keyError(key: string): string | undefined {
  const reasons = qualifiedName(key);
  return reasons.length === 0 ? undefined : showFieldError(invalid(nowhere, key, reasons.join('; ')));
}

/** What is wrong with a requirement, as NewRequirement says it; `path` is the field it stands in, '' for none. */
function requirementErrors(path: string, { key, operator, values }: Requirement): readonly FieldError[] {
  const errors: FieldError[] = [];
  const under = (name: string): string => (path === '' ? name : `${path}.${name}`);
  const reasons = qualifiedName(key);
  if (reasons.length > 0) errors.push(invalid(under('key'), key, reasons.join('; ')));
  if (operator === 'gt' || operator === 'lt') {
    values.forEach((value, index) => {
      if (!isInt64(value)) {
        const detail = "for 'Gt', 'Lt' operators, the value must be an integer";
        errors.push(invalid(`${under('values')}[${index}]`, value, detail));
      }
    });
  }
  values.forEach((value, index) => {
    const wrong = labelValue(value);
    if (wrong.length > 0) errors.push(invalid(`${under('values')}[${index}][${key}]`, value, wrong.join('; ')));
  });
  return errors;
}

const isInt64 = (value: string): boolean =>
  /^[-+]?\d+$/.test(value) &&
  value.length < 64 &&
  BigInt.asIntN(64, BigInt(value.replace('+', ''))) === BigInt(value.replace('+', ''));

const aggregate = (errors: readonly FieldError[]): string => {
  const shown = [...new Set(errors.map(showFieldError))];
  return shown.length === 1 ? (shown[0] ?? '') : `[${shown.join(', ')}]`;
};

const fail = (message: string): never => {
  throw new SelectorError(message);
};

interface Reader {
  peek(): Item;
  take(): Item;
}

/** In the place of a value, `in` and `notin` are ordinary words. */
const asValue = (item: Item): Token => (item.token === 'in' || item.token === 'notin' ? 'identifier' : item.token);

function readList(reader: Reader): readonly string[] {
  const open = reader.take();
  if (asValue(open) !== '(') fail(`found '${open.literal}' expected: '('`);
  const first = reader.peek();
  if (asValue(first) === ')') {
    reader.take();
    return [''];
  }
  if (asValue(first) !== 'identifier' && asValue(first) !== ',') {
    fail(`found '${first.literal}', expected: ',', ')' or identifier`);
  }
  const values: string[] = [];
  for (;;) {
    const item = reader.take();
    const following = asValue(reader.peek());
    if (asValue(item) === 'identifier') {
      values.push(item.literal);
      if (following === ',') continue;
      if (following !== ')') fail(`found '${reader.peek().literal}', expected: ',' or ')'`);
    } else if (asValue(item) === ',') {
      if (values.length === 0) values.push('');
      if (following === ',') values.push('');
      if (following !== ')') continue;
      values.push('');
    } else fail(`found '${item.literal}', expected: ',', or identifier`);
    reader.take();
    return values;
  }
}

function readExact(reader: Reader): readonly string[] {
  const next = asValue(reader.peek());
  if (next === 'end' || next === ',') return [''];
  const item = reader.take();
  if (asValue(item) !== 'identifier') fail(`found '${item.literal}', expected: identifier`);
  return [item.literal];
}

function readRequirement(reader: Reader): Requirement {
  let item = reader.take();
  const negated = asValue(item) === '!';
  if (negated) item = reader.take();
  if (asValue(item) !== 'identifier') fail(`found '${item.literal}', expected: identifier`);
  const key = item.literal;
  const wrong = keyError(key);
  if (wrong) fail(wrong);
  const following = asValue(reader.peek());
  if (negated) return { key, operator: '!', values: [] };
  if (following === 'end' || following === ',') return { key, operator: 'exists', values: [] };
  const sign = reader.take();
  const operator = operatorByToken[sign.token];
  if (!operator) return fail(`found '${sign.literal}', expected: in, notin, =, ==, !=, gt, lt`);
  const values = operator === 'in' || operator === 'notin' ? readList(reader) : readExact(reader);
  return { key, operator, values: sorted(values) };
}

const checked = (requirement: Requirement): Requirement => {
  const errors = requirementErrors('', requirement);
  if (errors.length > 0) fail(aggregate(errors));
  return requirement;
};

function parse(text: string): readonly Requirement[] {
  const items = scan(text);
  let at = 0;
  const reader: Reader = { peek: () => items[at] ?? end, take: () => items[at++] ?? end };
  const requirements: Requirement[] = [];
  for (;;) {
    const token = asValue(reader.peek());
    if (token === 'end') break;
    if (token !== 'identifier' && token !== '!') {
      fail(`found '${reader.peek().literal}', expected: !, identifier, or 'end of string'`);
    }
    try {
      requirements.push(checked(readRequirement(reader)));
    } catch (error) {
      if (error instanceof SelectorError) throw new SelectorError(`unable to parse requirement: ${error.message}`);
      throw error;
    }
    const separator = reader.take();
    if (separator.token === 'end') break;
    if (separator.token !== ',') fail(`found '${separator.literal}', expected: ',' or 'end of string'`);
    const next = asValue(reader.peek());
    if (next !== 'identifier' && next !== '!') {
      fail(`found '${reader.peek().literal}', expected: identifier after ','`);
    }
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}

const cache = new Map<string, readonly Requirement[]>();

/** Parses `a=b,c!=d,e in (x,y),!f,g,n>5`; an empty text selects everything. Throws `SelectorError`. Results are shared. */
export function parseLabelSelector(text: string): readonly Requirement[] {
  const known = cache.get(text);
  if (known) return known;
  const requirements = Object.freeze(parse(text));
  if (cache.size >= 1024) cache.clear();
  if (text.length < 1024) cache.set(text, requirements);
  return requirements;
}

/** The 400 that the API answers for a bad `labelSelector` parameter. */
export const badLabelSelector = (error: SelectorError): StatusError => badRequest(error.message);

const objectOperators: Readonly<Record<string, SelectorOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
};

/**
 * Requirements of a LabelSelector object. An absent selector matches nothing (undefined), an empty one everything
 * (an empty list). Throws `SelectorError` for what validation should have refused.
 */
export function requirementsOf(selector: LabelSelectorObject | null | undefined): readonly Requirement[] | undefined {
  if (selector === null || selector === undefined) return undefined;
  const requirements: Requirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(checked({ key, operator: '=', values: [value] }));
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = Object.hasOwn(objectOperators, operator) ? objectOperators[operator] : undefined;
    if (!known) return fail(`"${operator}" is not a valid label selector operator`);
    requirements.push(checked({ key, operator: known, values: sorted(values) }));
  }
  return requirements.sort((a, b) => (a.key < b.key ? -1 : Number(a.key > b.key)));
}

/** Requirements of a plain map of labels (Service and ReplicationController selectors). */
export const requirementsOfMap = (labels: Readonly<Record<string, string>> | undefined): readonly Requirement[] =>
  Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=' as const, values: [value] }));

function matchesOne({ key, operator, values }: Requirement, labels: Readonly<Record<string, string>>): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return value !== undefined && values.includes(value);
    case '!=':
    case 'notin':
      return value === undefined || !values.includes(value);
    case 'exists':
      return value !== undefined;
    case '!':
      return value === undefined;
    case 'gt':
    case 'lt': {
      const bound = values[0];
      if (value === undefined || bound === undefined || !isInt64(value) || !isInt64(bound)) return false;
      const left = BigInt(value.replace('+', ''));
      const right = BigInt(bound.replace('+', ''));
      return operator === 'gt' ? left > right : left < right;
    }
  }
}

const noLabels: Readonly<Record<string, string>> = Object.freeze({});

/** True when the labels meet every requirement. No requirements match everything; undefined requirements nothing. */
export function matchesLabels(
  requirements: readonly Requirement[] | undefined,
  labels: Readonly<Record<string, string>> | null | undefined,
): boolean {
  if (requirements === undefined) return false;
  for (const requirement of requirements) if (!matchesOne(requirement, labels ?? noLabels)) return false;
  return true;
}

const formatOne = ({ key, operator, values }: Requirement): string => {
  switch (operator) {
    case 'exists':
      return key;
    case '!':
      return `!${key}`;
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.join(',')})`;
    case 'gt':
      return `${key}>${values.join(',')}`;
    case 'lt':
      return `${key}<${values.join(',')}`;
    case '=':
    case '==':
    case '!=':
      return `${key}${operator}${values.join(',')}`;
  }
};

/** The text form, sorted by key where the requirements are: what `status.selector` of a scale holds. */
export const formatSelector = (requirements: readonly Requirement[]): string => requirements.map(formatOne).join(',');

/** The field errors of a LabelSelector object, as unversioned validation reports them (validation.ValidateLabelSelector). */
export function labelSelectorErrors(selector: LabelSelectorObject | undefined, path: string): readonly FieldError[] {
  if (!selector) return [];
  const errors: FieldError[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    for (const reason of qualifiedName(key)) errors.push(invalid(`${path}.matchLabels`, key, reason));
    for (const reason of labelValue(value)) errors.push(invalid(`${path}.matchLabels`, value, reason));
  }
  selector.matchExpressions?.forEach(({ key, operator, values = [] }, index) => {
    const at = `${path}.matchExpressions[${index}]`;
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
          errors.push({
            type: 'FieldValueForbidden',
            field: `${at}.values`,
            detail: "may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
          });
        }
        break;
      default:
        errors.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'));
    }
    for (const reason of qualifiedName(key)) errors.push(invalid(`${at}.key`, key, reason));
    values.forEach((value, position) => {
      for (const reason of labelValue(value)) errors.push(invalid(`${at}.values[${position}]`, value, reason));
    });
  });
  return errors;
}
