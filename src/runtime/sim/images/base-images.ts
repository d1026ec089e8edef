import { alpineFiles, bookworm, busyboxFiles, debianFiles } from './base-files.ts';
import { imageFamily, official, once } from './define.ts';
import type { SimImage } from './sim-image.ts';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const busybox = () => busyboxFiles;
const debian = once(() => debianFiles(bookworm));

/** busybox, alpine, debian, ubuntu and pause. */
export const baseImages = (): readonly SimImage[] => [
  ...imageFamily(
    [
      ...official('busybox'),
      'quay.io/prometheus/busybox',
      'gcr.io/google-containers/busybox',
      'k8s.gcr.io/busybox',
      'registry.k8s.io/busybox',
      'gcr.io/google_containers/busybox',
    ],
    [
      '1.37.0 1.37 1 latest stable glibc musl uclibc stable-glibc stable-musl stable-uclibc unstable 1.37.0-glibc 1.37.0-musl',
      '1.36.1 1.36 1.36.0 1.36.1-glibc 1.36.1-musl 1.36-glibc 1.36.1-uclibc',
      '1.35.0 1.35',
      '1.34.1 1.34 1.34.0',
      '1.33.1 1.33',
      '1.32.1 1.32 1.32.0',
      '1.31.1 1.31 1.31.0',
      '1.30.1 1.30',
      '1.29.3 1.29 1.29.2',
      '1.28.4 1.28 1.28.0 1.28.3',
      '1.27.2 1.27 1.24',
    ],
    () => ({ files: busybox, cmd: ['sh'], env: { PATH: path }, sizeBytes: 2_156_519 }),
  ),
  ...imageFamily(
    ['registry.k8s.io/e2e-test-images/busybox', 'k8s.gcr.io/e2e-test-images/busybox'],
    ['1.37.0-1 latest', '1.36.1-1', '1.29-4', '1.29-2', '1.29-1'],
    () => ({ files: busybox, cmd: ['sh'], env: { PATH: path }, sizeBytes: 2_210_000 }),
  ),
  ...imageFamily(
    official('alpine'),
    [
      '3.22.1 3.22 3 latest 3.22.0',
      '3.21.3 3.21 3.21.0',
      '3.20.6 3.20 3.20.0',
      '3.19.7 3.19 3.19.1',
      '3.18.12 3.18 3.18.0 3.18.4',
      '3.17.10 3.17',
      '3.16.9 3.16',
      '3.15.11 3.15',
      '3.14.10 3.14',
      '3.13.12 3.13',
      '3.12.12 3.12',
      '3.10 3.9 3.8 3.7',
    ],
    (version) => ({
      files: once(() => alpineFiles(version)),
      cmd: ['/bin/sh'],
      env: { PATH: path },
      sizeBytes: 3_800_000,
    }),
  ),
  ...imageFamily(
    official('debian'),
    [
      'bookworm latest stable 12 12.11 bookworm-slim stable-slim 12-slim',
      'bullseye 11 oldstable bullseye-slim 11-slim',
      'buster 10 buster-slim 10-slim',
    ],
    (version) => ({
      files:
        version === 'bookworm'
          ? debian
          : once(() => debianFiles({ ...bookworm, version: version === 'bullseye' ? '11' : '10', codename: version })),
      cmd: ['bash'],
      env: { PATH: path },
      sizeBytes: 48_500_000,
    }),
  ),
  ...imageFamily(
    official('ubuntu'),
    ['24.04 latest noble', '22.04 jammy', '20.04 focal', '18.04 bionic'],
    (version) => ({
      files: once(() =>
        debianFiles(
          {
            id: 'ubuntu',
            version,
            name: 'Ubuntu',
            codename: { '24.04': 'noble', '22.04': 'jammy', '20.04': 'focal', '18.04': 'bionic' }[version] ?? 'noble',
          },
          ['ps', 'kill', 'free', 'top', 'uptime', 'pgrep', 'pkill', 'pidof', 'watch'],
        ),
      ),
      cmd: ['/bin/bash'],
      env: { PATH: path },
      sizeBytes: 29_700_000,
    }),
  ),
  ...imageFamily(
    [
      'registry.k8s.io/pause',
      'k8s.gcr.io/pause',
      'gcr.io/google-containers/pause',
      'gcr.io/google_containers/pause',
      'mcr.microsoft.com/oss/kubernetes/pause',
    ],
    ['3.10.1 latest', '3.10', '3.9', '3.8', '3.7', '3.6', '3.5', '3.4.1', '3.3', '3.2', '3.1', '2.0', '1.0'],
    () => ({
      files: once(() => ({ '/pause': { program: 'pause', memoryKiB: 40 } })),
      entrypoint: ['/pause'],
      user: '65535:65535',
      env: { PATH: path },
      sizeBytes: 320_368,
    }),
  ),
];
