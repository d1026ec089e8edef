import type { V1PolicyRule, V1Role, V1RoleBinding } from '../../../api/generated/types.ts';
import { type Describer, labelsAndAnnotations } from './describer.ts';
import { goList, type Page } from './page.ts';

interface Row {
  readonly group?: string;
  readonly resource?: string;
  readonly name?: string;
  readonly url?: string;
  readonly verbs: readonly string[];
}

/** One row a resource, group and name with all the verbs for it; one a non-resource URL and verb. */
function rowsOf(rules: readonly V1PolicyRule[]): readonly Row[] {
  const rows = new Map<string, Row>();
  const urls: Row[] = [];
  for (const { apiGroups = [], resources = [], resourceNames = [], nonResourceURLs = [], verbs } of rules) {
    for (const group of apiGroups)
      for (const resource of resources)
        for (const verb of verbs)
          for (const name of resourceNames.length > 0 ? resourceNames : [undefined]) {
            const key = JSON.stringify([group, resource, name]);
            const before = rows.get(key)?.verbs ?? [];
            const all = before.includes(verb) ? before : [...before, verb];
            rows.set(key, { group, resource, ...(name !== undefined && { name }), verbs: all });
          }
    for (const url of nonResourceURLs) for (const verb of verbs) urls.push({ url, verbs: [verb] });
  }
  return [...urls, ...rows.values()].sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : Number(sortKey(a) !== sortKey(b))));
}

/** Upstream sorts by the rule written out as text. */
const sortKey = ({ group, resource, name, url, verbs }: Row): string => {
  const one = (value: string | undefined): string => (value === undefined ? '[]' : `[${value}]`);
  return `&PolicyRule{Verbs:${goList(verbs)},APIGroups:${one(group)},Resources:${one(resource)},ResourceNames:${one(name)},NonResourceURLs:${one(url)},}`;
};

function resourceText({ group, resource }: Row): string {
  if (resource === undefined) return '';
  const slash = resource.indexOf('/');
  const [head, tail] = slash < 0 ? [resource, ''] : [resource.slice(0, slash), resource.slice(slash)];
  return `${head}${group ? `.${group}` : ''}${tail}`;
}

const listOf = (value: string | undefined): string => goList(value === undefined ? [] : [value]);

export const describeRole: Describer<V1Role> = (page, { metadata, rules }) => {
  page.line(0, 'Name:', metadata.name);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'PolicyRule:');
  page.line(1, 'Resources', 'Non-Resource URLs', 'Resource Names', 'Verbs');
  page.line(1, '---------', '-----------------', '--------------', '-----');
  for (const row of rowsOf(rules ?? []))
    page.line(1, resourceText(row), listOf(row.url), listOf(row.name), goList(row.verbs));
};

export const describeRoleBinding: Describer<V1RoleBinding> = (page: Page, { metadata, roleRef, subjects }) => {
  page.line(0, 'Name:', metadata.name);
  labelsAndAnnotations(page, metadata);
  page.line(0, 'Role:');
  page.line(1, 'Kind:', roleRef.kind);
  page.line(1, 'Name:', roleRef.name);
  page.line(0, 'Subjects:');
  page.line(1, 'Kind', 'Name', 'Namespace');
  page.line(1, '----', '----', '---------');
  for (const { kind, name, namespace = '' } of subjects ?? []) page.line(1, kind, name, namespace);
};
