import type { V1PolicyRule } from '../../api/generated/types.ts';
import type { AccessAttributes } from '../contracts.ts';
import { quoteList } from './quote.ts';

/** A rule made ready for matching. Undefined sets stand for `*`. */
export interface CompiledRule {
  readonly rule: V1PolicyRule;
  readonly verbs: ReadonlySet<string> | undefined;
  readonly groups: ReadonlySet<string> | undefined;
  readonly resources: ReadonlySet<string> | undefined;
  /** Empty: any name. */
  readonly names: ReadonlySet<string>;
  readonly urls: ReadonlySet<string>;
  /** What `/path*` begins with; '' where every path is meant. */
  readonly urlPrefixes: readonly string[];
}

const setOrAll = (items: readonly string[] | undefined): ReadonlySet<string> | undefined =>
  items?.includes('*') ? undefined : new Set(items);

/** Prepares a rule (pkg/apis/rbac/v1/evaluation_helpers.go). */
export function compileRule(rule: V1PolicyRule): CompiledRule {
  const urls = rule.nonResourceURLs ?? [];
  return {
    rule,
    verbs: setOrAll(rule.verbs),
    groups: setOrAll(rule.apiGroups),
    resources: setOrAll(rule.resources),
    names: new Set(rule.resourceNames),
    urls: new Set(urls),
    urlPrefixes: urls.filter((url) => url.endsWith('*')).map((url) => url.replace(/\*+$/, '')),
  };
}

function resourceAllowed(rule: CompiledRule, attributes: AccessAttributes): boolean {
  const { resources } = rule;
  if (resources === undefined) return true;
  const { resource = '', subresource } = attributes;
  if (!subresource) return resources.has(resource);
  return resources.has(`${resource}/${subresource}`) || resources.has(`*/${subresource}`);
}

/** True where the rule allows the request. */
export function ruleAllows(rule: CompiledRule, attributes: AccessAttributes): boolean {
  if (rule.verbs && !rule.verbs.has(attributes.verb)) return false;
  const { path } = attributes;
  if (path !== undefined) return rule.urls.has(path) || rule.urlPrefixes.some((prefix) => path.startsWith(prefix));
  return (
    (!rule.groups || rule.groups.has(attributes.group ?? '')) &&
    resourceAllowed(rule, attributes) &&
    (rule.names.size === 0 || rule.names.has(attributes.name ?? ''))
  );
}

const hasAll = (owned: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean =>
  (wanted ?? []).every((item) => owned?.includes(item));

function resourcesCover(owned: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean {
  if (owned?.includes('*') || hasAll(owned, wanted)) return true;
  return (wanted ?? []).every((item) => {
    const slash = item.indexOf('/');
    return owned?.includes(item) || (slash >= 0 && owned?.includes(`*/${item.slice(slash + 1)}`));
  });
}

const urlsCover = (owned: readonly string[] | undefined, wanted: readonly string[] | undefined): boolean =>
  (wanted ?? []).every((url) =>
    owned?.some((own) => own === url || (own.endsWith('*') && url.startsWith(own.replace(/\*+$/, '')))),
  );

function ruleCovers(owner: V1PolicyRule, part: V1PolicyRule): boolean {
  const names =
    (owner.resourceNames ?? []).length === 0 ||
    ((part.resourceNames ?? []).length > 0 && hasAll(owner.resourceNames, part.resourceNames));
  return (
    (owner.verbs.includes('*') || hasAll(owner.verbs, part.verbs)) &&
    (owner.apiGroups?.includes('*') || hasAll(owner.apiGroups, part.apiGroups)) &&
    resourcesCover(owner.resources, part.resources) &&
    urlsCover(owner.nonResourceURLs, part.nonResourceURLs) &&
    names
  );
}

/** Cuts a rule into parts of one verb on one thing. */
function breakdown(rule: V1PolicyRule): readonly V1PolicyRule[] {
  const parts: V1PolicyRule[] = [];
  for (const group of rule.apiGroups ?? []) {
    for (const resource of rule.resources ?? []) {
      for (const verb of rule.verbs) {
        const base = { apiGroups: [group], resources: [resource], verbs: [verb] };
        if ((rule.resourceNames ?? []).length === 0) parts.push(base);
        for (const name of rule.resourceNames ?? []) parts.push({ ...base, resourceNames: [name] });
      }
    }
  }
  for (const url of rule.nonResourceURLs ?? []) {
    for (const verb of rule.verbs) parts.push({ nonResourceURLs: [url], verbs: [verb] });
  }
  return parts;
}

/** The parts of `wanted` that no single rule of `owned` covers; none where the owner holds them all. */
export function missingRights(
  owned: readonly V1PolicyRule[],
  wanted: readonly V1PolicyRule[],
): readonly V1PolicyRule[] {
  return wanted.flatMap(breakdown).filter((part) => !owned.some((owner) => ruleCovers(owner, part)));
}

/** `{APIGroups:[""], Resources:["pods"], Verbs:["get" "list"]}`. */
export function compactRule(rule: V1PolicyRule): string {
  const part = (label: string, items: readonly string[] | undefined): readonly string[] =>
    items && items.length > 0 ? [`${label}:${quoteList(items)}`] : [];
  return `{${[
    ...part('APIGroups', rule.apiGroups),
    ...part('Resources', rule.resources),
    ...part('NonResourceURLs', rule.nonResourceURLs),
    ...part('ResourceNames', rule.resourceNames),
    ...part('Verbs', rule.verbs),
  ].join(', ')}}`;
}

/** Joins parts that differ in nothing but the verb, and shows each once, sorted (pkg/registry/rbac/validation/policy_compact.go). */
export function describeRules(parts: readonly V1PolicyRule[]): readonly string[] {
  const joined = new Map<string, V1PolicyRule>();
  for (const part of parts) {
    const key = part.nonResourceURLs
      ? JSON.stringify(part)
      : JSON.stringify([part.apiGroups, part.resources, part.resourceNames]);
    const known = joined.get(key);
    joined.set(key, known && !part.nonResourceURLs ? { ...known, verbs: [...known.verbs, ...part.verbs] } : part);
  }
  return [...new Set([...joined.values()].map(compactRule))].sort();
}
