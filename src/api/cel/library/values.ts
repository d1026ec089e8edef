/** Quantities, semantic versions and optionals. */
import {
  type CelFunc,
  type CelInput,
  type CelMap,
  CelScalar,
  type CelValue,
  celFunc,
  celList,
  celMap,
  celMethod,
  isCelList,
  isCelMap,
  listType,
} from '@bufbuild/cel';
import { parseQuantity, quantityOfNano, tryParseQuantity } from '../../quantity.ts';
import { isOpaque, none, opaque, part, some } from '../opaque.ts';
import { equal } from './lists.ts';

const { DYN, BOOL, INT, STRING, DOUBLE } = CelScalar;
const billion = 1_000_000_000n;
const fits = (nano: bigint): boolean => nano % billion === 0n && BigInt.asIntN(64, nano / billion) === nano / billion;
const quantity = (nano: bigint): CelMap => opaque('quantity', { nano });
const nanoOf = (value: unknown): bigint => part(value, 'quantity', 'nano') as bigint;

interface Version {
  readonly numbers: readonly bigint[];
  readonly pre: readonly string[];
}
const versionPattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*)(?:\.(?:0|[1-9]\d*|\d*[A-Za-z-][\dA-Za-z-]*))*))?(?:\+([\dA-Za-z-]+(?:\.[\dA-Za-z-]+)*))?$/;
function readVersion(text: string): Version | undefined {
  const match = text.length > 256 ? null : versionPattern.exec(text);
  if (!match) return undefined;
  return { numbers: match.slice(1, 4).map(BigInt), pre: match[4]?.split('.') ?? [] };
}
const lenientVersion = (text: string): string => {
  const [core = '', ...rest] = text.replace(/^v/, '').split(/(?=[-+])/);
  const parts = core.split('.').map((it) => it.replace(/^0+(?=\d)/, ''));
  while (parts.length < 3) parts.push('0');
  return parts.join('.') + rest.join('');
};
function version(text: string): CelMap {
  const read = readVersion(text);
  if (!read) throw new Error(`No Major.Minor.Patch elements found: ${text}`);
  return opaque('semver', { numbers: [...read.numbers], pre: [...read.pre] });
}
function compareParts(a: string, b: string): number {
  const left = /^\d+$/.test(a);
  const right = /^\d+$/.test(b);
  if (left && right) return Number(BigInt(a) > BigInt(b)) - Number(BigInt(a) < BigInt(b));
  if (left !== right) return left ? -1 : 1;
  return a < b ? -1 : Number(a > b);
}
function compareVersions(a: unknown, b: unknown): number {
  const items = (value: unknown, name: string): readonly CelValue[] => {
    const found = part(value, 'semver', name);
    return isCelList(found) ? [...found] : [];
  };
  const [left, right] = [items(a, 'numbers') as bigint[], items(b, 'numbers') as bigint[]];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0n) - (right[i] ?? 0n);
    if (difference !== 0n) return difference < 0n ? -1 : 1;
  }
  const [pre, otherPre] = [items(a, 'pre').map(String), items(b, 'pre').map(String)];
  if (pre.length === 0 || otherPre.length === 0) return Number(pre.length === 0) - Number(otherPre.length === 0);
  for (let i = 0; i < Math.max(pre.length, otherPre.length); i++) {
    const [one, other] = [pre[i], otherPre[i]];
    if (one === undefined) return -1;
    if (other === undefined) return 1;
    const order = compareParts(one, other);
    if (order !== 0) return order;
  }
  return 0;
}

function compare(a: unknown, b: unknown): number {
  if (isOpaque(a, 'semver')) return compareVersions(a, b);
  const [left, right] = [nanoOf(a), nanoOf(b)];
  return left < right ? -1 : Number(left > right);
}

const addend = (value: CelValue): bigint => (typeof value === 'bigint' ? value * billion : nanoOf(value));

const isZero = (value: CelValue): boolean => {
  if (isCelList(value) || isCelMap(value)) return value.size === 0;
  return value === null || value === '' || value === false || value === 0n || value === 0;
};

const held = (value: unknown): CelValue | undefined =>
  part(value, 'optional', 'has') === true ? part(value, 'optional', 'value') : undefined;

/** What is under a key or index: in an optional's value, a map or a list. */
function select(value: CelValue, key: CelValue): CelMap {
  const inner = isOpaque(value, 'optional') ? held(value) : value;
  if (inner === undefined) return none;
  if (isCelMap(inner)) {
    const found = inner.get(key as string);
    return found === undefined ? none : some(found);
  }
  if (isCelList(inner) && typeof key === 'bigint') {
    const found = inner.get(Number(key));
    return found === undefined ? none : some(found);
  }
  if (inner === null) return none;
  throw new Error('no such overload');
}

const semverPart = (name: string, index: number): CelFunc =>
  celMethod(name, DYN, [], INT, function () {
    const numbers = part(this, 'semver', 'numbers');
    return isCelList(numbers) ? ((numbers.get(index) ?? 0n) as bigint) : 0n;
  });

export const valueFunctions: readonly CelFunc[] = [
  celFunc('quantity', [STRING], DYN, (text) => quantity(parseQuantity(text).nano)),
  celFunc('isQuantity', [STRING], BOOL, (text) => tryParseQuantity(text) !== undefined),
  celMethod('sign', DYN, [], INT, function () {
    const nano = nanoOf(this);
    return nano === 0n ? 0n : nano < 0n ? -1n : 1n;
  }),
  celMethod('isInteger', DYN, [], BOOL, function () {
    return fits(nanoOf(this));
  }),
  celMethod('asInteger', DYN, [], INT, function () {
    const nano = nanoOf(this);
    if (!fits(nano)) throw new Error('cannot convert value to integer');
    return nano / billion;
  }),
  celMethod('asApproximateFloat', DYN, [], DOUBLE, function () {
    return Number(nanoOf(this)) / 1e9;
  }),
  celMethod('add', DYN, [DYN], DYN, function (other) {
    return quantity(nanoOf(this) + addend(other));
  }),
  celMethod('sub', DYN, [DYN], DYN, function (other) {
    return quantity(nanoOf(this) - addend(other));
  }),
  celMethod('isGreaterThan', DYN, [DYN], BOOL, function (other) {
    return compare(this, other) > 0;
  }),
  celMethod('isLessThan', DYN, [DYN], BOOL, function (other) {
    return compare(this, other) < 0;
  }),
  celMethod('compareTo', DYN, [DYN], INT, function (other) {
    return BigInt(compare(this, other));
  }),
  celFunc('semver', [STRING], DYN, version),
  celFunc('semver', [STRING, BOOL], DYN, (text, lenient) => version(lenient ? lenientVersion(text) : text)),
  celFunc('isSemver', [STRING], BOOL, (text) => readVersion(text) !== undefined),
  celFunc(
    'isSemver',
    [STRING, BOOL],
    BOOL,
    (text, lenient) => readVersion(lenient ? lenientVersion(text) : text) !== undefined,
  ),
  semverPart('major', 0),
  semverPart('minor', 1),
  semverPart('patch', 2),
  celFunc('optional.of', [DYN], DYN, (value) => some(value as CelInput)),
  celFunc('optional.none', [], DYN, () => none),
  celFunc('optional.ofNonZeroValue', [DYN], DYN, (value) => (isZero(value) ? none : some(value as CelInput))),
  celMethod('hasValue', DYN, [], BOOL, function () {
    return part(this, 'optional', 'has') === true;
  }),
  celMethod('value', DYN, [], DYN, function () {
    const value = held(this);
    if (value === undefined) throw new Error('optional.none() dereference');
    return value as CelInput;
  }),
  celMethod('orValue', DYN, [DYN], DYN, function (other) {
    return (held(this) ?? other) as CelInput;
  }),
  celMethod('or', DYN, [DYN], DYN, function (other) {
    return (held(this) === undefined ? other : this) as CelInput;
  }),
  celMethod('optSelect', DYN, [STRING], DYN, function (name) {
    return select(this, name);
  }),
  celMethod('optIndex', DYN, [DYN], DYN, function (key) {
    return select(this, key);
  }),
  celMethod('optToList', DYN, [], DYN, function () {
    const value = held(this);
    return celList(value === undefined ? [] : [value as CelInput]);
  }),
  celMethod('listToOpt', DYN, [], DYN, function () {
    const [value] = isCelList(this) ? this : [];
    return value === undefined ? none : some(value as CelInput);
  }),
  celMethod('listToFlatOpt', DYN, [], DYN, function () {
    const [value] = isCelList(this) ? this : [];
    return (value ?? none) as CelInput;
  }),
  celFunc('@mapOf', [listType(DYN)], DYN, (pairs) =>
    celMap(
      new Map(
        [...pairs].map((it) => {
          const [key, value] = isCelList(it) ? [...it] : [];
          return [key as string, value as CelInput];
        }),
      ),
    ),
  ),
  celFunc('@entries', [DYN], DYN, (value) => {
    if (isCelMap(value)) return celList([...value].map(([key, item]) => celList([key as CelInput, item as CelInput])));
    if (isCelList(value)) return celList([...value].map((item, index) => celList([BigInt(index), item as CelInput])));
    throw new Error('no such overload');
  }),
  celFunc('math.abs', [INT], INT, (value) => (value < 0n ? -value : value)),
  celFunc('math.abs', [DOUBLE], DOUBLE, Math.abs),
  celFunc('math.ceil', [DOUBLE], DOUBLE, Math.ceil),
  celFunc('math.floor', [DOUBLE], DOUBLE, Math.floor),
  celFunc('math.round', [DOUBLE], DOUBLE, Math.round),
  celFunc('math.trunc', [DOUBLE], DOUBLE, Math.trunc),
  celFunc('math.isNaN', [DOUBLE], BOOL, Number.isNaN),
  celFunc('math.greatest', [DYN, DYN], DYN, (a, b) => ((a ?? 0) > (b ?? 0) ? a : b) as CelInput),
  celFunc('math.least', [DYN, DYN], DYN, (a, b) => ((a ?? 0) < (b ?? 0) ? a : b) as CelInput),
];

/** Kubernetes writes a quantity as text where one asks for it. */
export const showQuantity = (nano: bigint): string => quantityOfNano(nano, 'DecimalSI').text;
export { equal };
