import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isMap, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml';
import { UsageError } from './options.ts';

/** One way into one cluster. All PEM. */
export interface Access {
  /** Name of cluster and context; the user is `<name>-admin`. */
  readonly name: string;
  readonly server: string;
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** The text of a kubeconfig with this access as its current context; `before` keeps everything else that it holds, comments too. */
export function kubeconfigWith(before: string, access: Access): string {
  const document = parseDocument(before.trim() === '' ? 'apiVersion: v1\nkind: Config\n' : before);
  if (document.errors.length > 0 || !isMap(document.contents))
    throw new UsageError('the kubeconfig to merge into is not valid YAML');
  const put = (list: string, name: string, field: string, value: object): void => {
    const present: unknown = document.get(list);
    if (!isSeq(present)) document.set(list, document.createNode([]));
    const items = (document.get(list) as YAMLSeq).items as YAMLMap[];
    const at = items.findIndex((item) => isMap(item) && item.get('name') === name);
    const node = document.createNode({ name, [field]: value }) as YAMLMap;
    if (at < 0) items.push(node);
    else items[at] = node;
  };
  const user = `${access.name}-admin`;
  put('clusters', access.name, 'cluster', {
    server: access.server,
    'certificate-authority-data': base64(access.authority),
  });
  put('users', user, 'user', {
    'client-certificate-data': base64(access.certificate),
    'client-key-data': base64(access.key),
  });
  put('contexts', access.name, 'context', { cluster: access.name, user });
  document.set('current-context', access.name);
  return document.toString({ lineWidth: 0 });
}

/** Writes the access into a kubeconfig file, mode 0600; merges into what is there, or replaces it whole. */
export function writeKubeconfig(file: string, access: Access, merge: boolean): void {
  mkdirSync(dirname(file), { recursive: true });
  const before = merge && existsSync(file) ? readFileSync(file, 'utf8') : '';
  // Written beside and renamed, so that no kubectl ever reads half a file.
  writeFileSync(`${file}.new`, kubeconfigWith(before, access), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
