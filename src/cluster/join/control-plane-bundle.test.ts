import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type ControlPlaneBundle, parseControlPlaneToken, seal, unseal } from './control-plane-bundle.ts';

const bundle: ControlPlaneBundle = {
  files: { 'pki/ca.key': 'secret' },
  etcd: { endpoints: ['http://127.0.0.1:2379'] },
  settings: { serviceCidr: '10.96.0.0/12', clusterCidr: '10.244.0.0/16', clusterDomain: 'cluster.local' },
};

describe('the bundle of a control plane', () => {
  it('opens with its own key alone, and only unchanged', () => {
    const key = randomBytes(32);
    const sealed = seal(bundle, key);
    expect(sealed).not.toContain('secret');
    expect(unseal(sealed, key)).toEqual(bundle);
    expect(() => unseal(sealed, randomBytes(32))).toThrow(/not encrypted with this token/);
    expect(() => unseal(`${sealed.slice(0, 40)}A${sealed.slice(41)}`, randomBytes(32))).toThrow(/not encrypted/);
    expect(() => unseal('', key)).toThrow(/not encrypted/);
  });

  it('reads tokens', () => {
    const key = randomBytes(32);
    const text = `abcdef.0123456789abcdef.${key.toString('base64url')}`;
    expect(parseControlPlaneToken(text)).toEqual({ bootstrap: 'abcdef.0123456789abcdef', id: 'abcdef', key });
    expect(() => parseControlPlaneToken('abcdef.0123456789abcdef')).toThrow(/no token of a control plane/);
  });
});
