import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { kubeconfigWith } from './kubeconfig-file.ts';

const access = { name: 'coracle', server: 'https://127.0.0.1:6443', authority: 'ca', certificate: 'cert', key: 'key' };

describe('kubeconfigWith', () => {
  it('makes a kubeconfig from nothing', () => {
    expect(parse(kubeconfigWith('', access))).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'coracle', cluster: { server: access.server, 'certificate-authority-data': 'Y2E=' } }],
      users: [{ name: 'coracle-admin', user: { 'client-certificate-data': 'Y2VydA==', 'client-key-data': 'a2V5' } }],
      contexts: [{ name: 'coracle', context: { cluster: 'coracle', user: 'coracle-admin' } }],
      'current-context': 'coracle',
    });
  });

  it('keeps what others wrote, comments too, and replaces its own entry', () => {
    const before = `# mine
apiVersion: v1
kind: Config
clusters:
  - name: work # do not touch
    cluster: { server: https://work }
  - name: coracle
    cluster: { server: https://old }
current-context: work
`;
    const text = kubeconfigWith(before, access);
    expect(text).toContain('# mine');
    expect(text).toContain('# do not touch');
    const merged = parse(text);
    expect(merged.clusters.map((it: { name: string }) => it.name)).toEqual(['work', 'coracle']);
    expect(merged.clusters[1].cluster.server).toBe(access.server);
    expect(merged['current-context']).toBe('coracle');
  });

  it('refuses what is no kubeconfig', () => {
    expect(() => kubeconfigWith('{{{', access)).toThrow(/not valid YAML/);
    expect(() => kubeconfigWith('- a\n- b\n', access)).toThrow(/not valid YAML/);
  });
});
