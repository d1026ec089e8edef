import { describe, expect, it } from 'vitest';
import { showFieldError } from '../field-error.ts';
import type { StructuralSchema } from '../schema.ts';
import { loadCelEngine } from './engine.ts';
import { rewriteOptionals } from './rewrite.ts';
import { checkRules } from './rules.ts';

const engine = await loadCelEngine();
const object = {
  metadata: { name: 'web', labels: { app: 'a', 'x/y': 'z' } },
  spec: {
    replicas: 3,
    ratio: 0.5,
    ports: [
      { name: 'http', port: 80 },
      { name: 'dns', port: 53 },
    ],
    tags: ['b', 'a'],
  },
};
const run = (expression: string): unknown => {
  const outcome = engine.compile(expression)({ object, x: 5 });
  return outcome.error === undefined ? outcome.value : `error: ${outcome.error}`;
};

describe('CEL as Kubernetes has it', () => {
  it.each([
    ['object.spec.replicas + 1', 4],
    ['object.spec.ports.all(p, p.port > 50)', true],
    ['object.spec.ports.exists(p, p.name == "dns")', true],
    ['object.spec.ports.map(p, p.name).join(",")', 'http,dns'],
    ['has(object.spec.missing)', false],
    ['object.spec.missing', 'error: no such key: missing'],
    ['1 / (x - 5)', 'error: division by zero'],
    ['object.spec.tags.isSorted()', false],
    ['[1, 2, 3].sum() + [4, 5].max()', 11],
    ['object.spec.tags.indexOf("a")', 1],
    ['sets.contains([1, 2, 3], [2]) && sets.intersects([1], [1, 2])', true],
    ['"abc 123".find("[0-9]+")', '123'],
    ['"a1b22".findAll("[0-9]+")', ['1', '22']],
    ['url("https://example.com:8080/a?b=c").getHost()', 'example.com:8080'],
    ['url("https://example.com:443/").getPort()', '443'],
    ['url("https://example.com/p?k=v").getQuery()["k"]', ['v']],
    ['isURL("nope nope")', false],
    ['quantity("1Gi").isGreaterThan(quantity("500Mi"))', true],
    ['quantity("1Ki") == quantity("1024")', true],
    ['quantity("200m").add(quantity("1")).asApproximateFloat()', 1.2],
    ['isQuantity("x")', false],
    ['ip("192.168.0.1").family()', 4],
    ['ip("::1").isLoopback()', true],
    ['ip.isCanonical("2001:db8::1")', true],
    ['ip.isCanonical("2001:DB8::1")', false],
    ['cidr("10.0.0.0/8").containsIP("10.1.2.3")', true],
    ['cidr("10.1.2.3/8").masked().ip() == ip("10.0.0.0")', true],
    ['cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")', true],
    ['string(ip("10.0.0.1"))', '10.0.0.1'],
    ['format.dns1123Label().validate("a-b").hasValue()', false],
    ['format.dns1123Label().validate("A").hasValue()', true],
    ['format.named("nope").hasValue()', false],
    ['semver("1.2.3").isLessThan(semver("1.10.0"))', true],
    ['semver("1.0.0-alpha").isLessThan(semver("1.0.0"))', true],
    ['object.?spec.?missing.orValue("none")', 'none'],
    ['object.?spec.replicas.orValue(0)', 3],
    ['object.?status.conditions.hasValue()', false],
    ['object.metadata.labels[?"x/y"].orValue("")', 'z'],
    ['optional.of(3).optMap(v, v + 1).value()', 4],
    ['optional.none().optMap(v, v + 1).orValue(7)', 7],
    ['cel.bind(n, object.spec.replicas, n * n)', 9],
    ['[3, 4].all(i, v, v == i + 3)', true],
    ['{"a": 1}.exists(k, v, k == "a" && v == 1)', true],
    ['[1, 2].transformList(i, v, v * 2)', [2, 4]],
    ['{"a": 1, "b": 2}.transformMap(k, v, v > 1, v * 10)', { b: 20 }],
    ['Object{spec: Object.spec{replicas: 2}}', { spec: { replicas: 2 } }],
    ['[JSONPatch{op: "add", path: "/a", value: 1}]', [{ op: 'add', path: '/a', value: 1 }]],
    ['jsonpatch.escapeKey("a/b~c")', 'a~1b~0c'],
    ['duration("1h") > duration("30m")', true],
    ['timestamp("2024-01-01T00:00:00Z").getFullYear()', 2024],
    ['"abc".matches("^a")', true],
    ['"{.?x}"', '{.?x}'],
  ])('%s', (expression, value) => {
    expect(run(expression)).toEqual(value);
  });

  it('refuses what is no expression', () => {
    expect(() => engine.compile('a +')).toThrow();
    expect(rewriteOptionals('a.b[c].d')).toBe('a.b[c].d');
    expect(rewriteOptionals('a.?b[?0].c')).toBe('a.optSelect("b").optIndex(0).optSelect("c")');
  });

  it('stops expressions that never end', () => {
    const big = `${'['.concat(Array(200).fill('1').join(','), ']')}`;
    const loops = `${big}.all(a, ${big}.all(b, ${big}.all(c, a == b && b == c)))`;
    expect(run(loops)).toBe('error: operation cancelled: actual cost limit exceeded');
  });
});

describe('x-kubernetes-validations', () => {
  const schema: StructuralSchema = {
    type: 'object',
    'x-kubernetes-validations': [{ rule: 'self.metadata.name.startsWith("w")', message: 'name must start with w' }],
    properties: {
      metadata: { type: 'object' },
      spec: {
        type: 'object',
        'x-kubernetes-validations': [
          { rule: 'self.min <= self.max' },
          {
            rule: 'self.min <= self.max',
            messageExpression: '"min " + string(self.min) + " is too large"',
            reason: 'FieldValueForbidden',
            fieldPath: '.min',
          },
        ],
        properties: {
          min: { type: 'integer' },
          max: { type: 'integer' },
          ratio: { type: 'number', 'x-kubernetes-validations': [{ rule: 'self < 1.5' }] },
          fixed: {
            type: 'string',
            'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed is immutable' }],
          },
          when: {
            type: 'string',
            format: 'date-time',
            'x-kubernetes-validations': [{ rule: 'self > timestamp("2020-01-01T00:00:00Z")' }],
          },
          namespace: { type: 'string' },
          'my-field': { type: 'string' },
          items: {
            type: 'array',
            'x-kubernetes-list-type': 'map',
            'x-kubernetes-list-map-keys': ['name'],
            items: {
              type: 'object',
              'x-kubernetes-validations': [{ rule: 'self.size >= oldSelf.size', message: 'may only grow' }],
              properties: { name: { type: 'string' }, size: { type: 'integer' } },
            },
          },
          once: {
            type: 'string',
            'x-kubernetes-validations': [
              { rule: '!oldSelf.hasValue() || oldSelf.value() == self', optionalOldSelf: true, message: 'set once' },
            ],
          },
        },
      },
    },
  };
  const check = (spec: unknown, old?: unknown, name = 'web'): readonly string[] =>
    checkRules(
      schema,
      { metadata: { name }, spec },
      old === undefined ? undefined : { metadata: { name }, spec: old },
    ).map(showFieldError);

  it('checks values and says what is wrong in upstream words', () => {
    expect(check({ min: 1, max: 2, ratio: 1 })).toEqual([]);
    expect(check({ min: 3, max: 2 })).toEqual([
      'spec: Invalid value: failed rule: self.min <= self.max',
      'spec.min: Forbidden: min 3 is too large',
    ]);
    expect(check({ min: 1, max: 2, ratio: 2 })).toEqual(['spec.ratio: Invalid value: 2: failed rule: self < 1.5']);
    expect(check({ min: 1 })).toContain(
      'spec: Invalid value: "object": no such key: max evaluating rule: self.min <= self.max',
    );
    expect(check({ min: 1, max: 2 }, undefined, 'api')).toEqual(['<nil>: Invalid value: name must start with w']);
    expect(check({ min: 1, max: 2, when: '2019-01-01T00:00:00Z' })).toHaveLength(1);
  });

  it('checks changes', () => {
    const base = { min: 1, max: 2 };
    expect(check({ ...base, fixed: 'a' })).toEqual([]);
    expect(check({ ...base, fixed: 'b' }, { ...base, fixed: 'a' })).toEqual([
      'spec.fixed: Invalid value: "b": fixed is immutable',
    ]);
    expect(
      check(
        { ...base, items: [{ name: 'x', size: 1 }] },
        {
          ...base,
          items: [
            { name: 'y', size: 0 },
            { name: 'x', size: 2 },
          ],
        },
      ),
    ).toEqual(['spec.items[0]: Invalid value: may only grow']);
    expect(check({ ...base, once: 'a' }, base)).toEqual([]);
    expect(check({ ...base, once: 'b' }, { ...base, once: 'a' })).toEqual(['spec.once: Invalid value: "b": set once']);
  });

  it('lets an update keep what broke a rule before', () => {
    const broken = { min: 3, max: 2 };
    expect(check(broken, broken)).toEqual([]);
  });

  it('reaches fields whose names are no identifiers', () => {
    const named: StructuralSchema = {
      type: 'object',
      'x-kubernetes-validations': [{ rule: 'self.__namespace__ == "n" && self.my__dash__field == "f"' }],
      properties: { namespace: { type: 'string' }, 'my-field': { type: 'string' } },
    };
    expect(checkRules(named, { namespace: 'n', 'my-field': 'f' }, undefined)).toEqual([]);
  });
});
