import { expect, test } from 'vitest';
import { parseImage, withTag } from './image-reference.ts';
import { editDistance, nearest } from './nearest.ts';

test.each([
  ['wge', 'wget', 1],
  ['ngnix', 'nginx', 1],
  ['kitten', 'sitting', 3],
  ['', 'abc', 3],
  ['same', 'same', 0],
])('%s is %s with %i slips', (a, b, slips) => {
  expect(editDistance(a, b)).toBe(slips);
  expect(editDistance(b, a)).toBe(slips);
});

test('the count stops at the limit', () => {
  expect(editDistance('aaaaaaaa', 'bbbbbbbb', 2)).toBe(3);
});

test.each([
  ['db_host', ['DB_HOST', 'DB_PORT'], 'DB_HOST'],
  ['app-config', ['kube-root-ca.crt', 'app-configuration'], 'app-configuration'],
  ['database-secret', ['db-credentials', 'database-secrets'], 'database-secrets'],
  ['1.72', ['1.27', '1.25', 'latest'], '1.27'],
  ['gchr.io', ['gcr.io', 'ghcr.io'], 'ghcr.io'],
  ['frontend', ['billing', 'kube-root-ca.crt'], undefined],
  ['web', ['web'], undefined],
])('%s, of %j, means %s', (wanted, names, best) => {
  expect(nearest(wanted, names)[0]).toBe(best);
});

test.each([
  ['nginx', { host: 'docker.io', repository: 'library/nginx', tag: 'latest', qualified: false }],
  ['acme/shop:2', { host: 'docker.io', repository: 'acme/shop', tag: '2' }],
  ['localhost:5000/a/b:1', { host: 'localhost:5000', repository: 'a/b', tag: '1', qualified: true }],
  [`ghcr.io/a/b@sha256:${'0'.repeat(64)}`, { host: 'ghcr.io', repository: 'a/b', digest: `sha256:${'0'.repeat(64)}` }],
])('reads %s', (text, parts) => {
  expect(parseImage(text)).toMatchObject(parts);
});

test.each(['', 'Nginx', 'https://ghcr.io/a', 'a b', 'nginx:', 'a@b@c', 'nginx:a:b', '/nginx'])(
  '%j is no image name',
  (text) => {
    expect(parseImage(text)).toBeUndefined();
  },
);

test('another tag keeps the rest as it was written', () => {
  expect(withTag('localhost:5000/a', '2')).toBe('localhost:5000/a:2');
  expect(withTag('a/b:1@sha256:00', '2')).toBe('a/b:2');
});
