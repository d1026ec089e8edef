import type { ImageFiles } from '../vfs/image-tree.ts';
import { alpineFiles, bookworm, debianFiles } from './base-files.ts';
import { type ImageSettings, imageFamily, official, once } from './define.ts';
import type { SimImage } from './sim-image.ts';

const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const debian = once(() => debianFiles(bookworm));
const alpine = once(() => alpineFiles('3.21.3'));

/** A base with a user of its own. */
const withUser = (base: ImageFiles, name: string, uid: number, home: string): ImageFiles => ({
  ...base,
  '/etc/passwd': `${String(base['/etc/passwd'])}${name}:x:${uid}:${uid}::${home}:/bin/sh\n`,
  '/etc/group': `${String(base['/etc/group'])}${name}:x:${uid}:\n`,
});

const redisFiles = (base: () => ImageFiles) =>
  once(() => ({
    ...withUser(base(), 'redis', 999, '/home/redis'),
    '/usr/local/bin/redis-server': { program: 'redis-server', memoryKiB: 9000 },
    '/usr/local/bin/redis-cli': { program: 'redis-cli', memoryKiB: 3000 },
    '/usr/local/bin/docker-entrypoint.sh': { program: 'redis-entrypoint', memoryKiB: 700 },
    '/data': { directory: true as const, uid: 999, gid: 999 },
  }));

const redisDebian = redisFiles(debian);
const redisAlpine = redisFiles(alpine);

const redis = (version: string, files: () => ImageFiles): ImageSettings => ({
  files,
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['redis-server'],
  workingDir: '/data',
  env: { PATH: path, REDIS_VERSION: version.replace(/-.*/, '') },
  exposedPorts: ['6379/tcp'],
  volumes: ['/data'],
  sizeBytes: 45_000_000,
});

const httpdFiles = once(() => ({
  ...debian(),
  '/usr/local/apache2/bin/httpd': { program: 'httpd-apache', memoryKiB: 6000 },
  '/usr/local/bin/httpd-foreground': { program: 'httpd-apache', memoryKiB: 6000 },
  '/usr/local/apache2/htdocs/index.html': '<html><body><h1>It works!</h1></body></html>\n',
  '/usr/local/apache2/logs': { directory: true as const },
}));

const interpreter = (name: string, program: string) =>
  once(() => ({ ...debian(), [`/usr/local/bin/${name}`]: { program, memoryKiB: 12_000 } }));

const python = once(() => ({
  ...debian(),
  '/usr/local/bin/python3': { program: 'python', memoryKiB: 9000 },
  '/usr/local/bin/python': { program: 'python', memoryKiB: 9000 },
}));

const postgresFiles = (base: () => ImageFiles) =>
  once(() => ({
    ...withUser(base(), 'postgres', 999, '/var/lib/postgresql'),
    '/usr/local/bin/postgres': { program: 'postgres', memoryKiB: 20_000 },
    '/usr/local/bin/psql': { program: 'psql', memoryKiB: 4000 },
    '/usr/local/bin/pg_isready': { program: 'pg_isready', memoryKiB: 2000 },
    '/usr/local/bin/docker-entrypoint.sh': { program: 'postgres-entrypoint', memoryKiB: 900 },
    '/var/lib/postgresql/data': { directory: true as const, mode: 0o1777, uid: 999, gid: 999 },
    '/var/run/postgresql': { directory: true as const, mode: 0o3777, uid: 999, gid: 999 },
    '/docker-entrypoint-initdb.d': { directory: true as const },
  }));

const postgresDebian = postgresFiles(debian);
const postgresAlpine = postgresFiles(alpine);

const postgres = (version: string, files: () => ImageFiles): ImageSettings => ({
  files,
  entrypoint: ['docker-entrypoint.sh'],
  cmd: ['postgres'],
  env: {
    PATH: path,
    PG_MAJOR: version.split(/[.-]/)[0] ?? '17',
    PG_VERSION: version.replace(/-.*/, ''),
    PGDATA: '/var/lib/postgresql/data',
  },
  exposedPorts: ['5432/tcp'],
  stopSignal: 'SIGINT',
  volumes: ['/var/lib/postgresql/data'],
  sizeBytes: 155_000_000,
});

const mysqlFiles = (maria: boolean) =>
  once(() => ({
    ...withUser(debian(), 'mysql', 999, '/var/lib/mysql'),
    [`/usr/sbin/${maria ? 'mariadbd' : 'mysqld'}`]: { program: 'mysqld', memoryKiB: maria ? 90_000 : 350_000 },
    '/usr/bin/mysqladmin': { program: 'mysqladmin', memoryKiB: 4000 },
    '/usr/bin/mariadb-admin': { program: 'mysqladmin', memoryKiB: 4000 },
    '/usr/bin/mysql': { program: 'mysql', memoryKiB: 4000 },
    '/usr/bin/mariadb': { program: 'mysql', memoryKiB: 4000 },
    '/usr/local/bin/docker-entrypoint.sh': { program: 'mysql-entrypoint', memoryKiB: 900 },
    '/var/lib/mysql': { directory: true as const, mode: 0o1777, uid: 999, gid: 999 },
    '/docker-entrypoint-initdb.d': { directory: true as const },
  }));

const mysql = mysqlFiles(false);
const mariadb = mysqlFiles(true);

const waiting = (name: string, program: string) =>
  once(() => ({
    ...debian(),
    [`/usr/local/bin/${name}`]: { program, memoryKiB: 60_000 },
    '/data/db': { directory: true as const },
  }));
const mongo = waiting('mongod', 'mongod');
const rabbit = waiting('rabbitmq-server', 'rabbitmq-server');

/** Servers and interpreters. */
export const serverImages = (): readonly SimImage[] => [
  ...imageFamily(
    official('postgres'),
    [
      '17.5 17 latest 17.4 17.2 17.0',
      '16.9 16 16.4 16.3 16.2 16.1 16.0',
      '15.13 15 15.4',
      '14.18 14',
      '13.21 13',
      '12.22 12',
    ],
    (version) => postgres(version, postgresDebian),
  ),
  ...imageFamily(
    official('postgres'),
    [
      '17.5-alpine 17-alpine alpine',
      '16.9-alpine 16-alpine 16.3-alpine',
      '15.13-alpine 15-alpine',
      '14.18-alpine 14-alpine',
      '13.21-alpine 13-alpine',
    ],
    (version) => postgres(version, postgresAlpine),
  ),
  ...imageFamily(
    official('mysql'),
    ['9.3.0 9 latest 9.3', '8.4.5 8.4 lts 8.4.0', '8.0.42 8.0 8 8.0.36', '5.7.44 5.7 5'],
    (version) => ({
      files: mysql,
      entrypoint: ['docker-entrypoint.sh'],
      cmd: ['mysqld'],
      env: { PATH: path, MYSQL_VERSION: `${version}-1.el9`, MYSQL_MAJOR: version.split('.').slice(0, 2).join('.') },
      exposedPorts: ['3306/tcp', '33060/tcp'],
      volumes: ['/var/lib/mysql'],
      sizeBytes: 240_000_000,
    }),
  ),
  ...imageFamily(
    official('mariadb'),
    ['11.7.2 11 latest 11.7', '11.4.5 11.4 lts', '10.11.11 10.11 10', '10.6.21 10.6'],
    (version) => ({
      files: mariadb,
      entrypoint: ['docker-entrypoint.sh'],
      cmd: ['mariadbd'],
      env: { PATH: path, MARIADB_VERSION: `1:${version}+maria~ubu2404` },
      exposedPorts: ['3306/tcp'],
      volumes: ['/var/lib/mysql'],
      sizeBytes: 110_000_000,
    }),
  ),
  ...imageFamily(official('mongo'), ['8.0.10 8.0 8 latest', '7.0.21 7.0 7', '6.0.24 6.0 6', '5.0 4.4'], () => ({
    files: mongo,
    cmd: ['mongod'],
    env: { PATH: path },
    exposedPorts: ['27017/tcp'],
    volumes: ['/data/db'],
    sizeBytes: 280_000_000,
  })),
  ...imageFamily(
    official('rabbitmq'),
    ['4.1.1 4.1 4 latest 4-management management', '3.13.7 3.13 3 3-management 3.13-management'],
    () => ({
      files: rabbit,
      cmd: ['rabbitmq-server'],
      env: { PATH: path },
      exposedPorts: ['5672/tcp', '15672/tcp'],
      sizeBytes: 110_000_000,
    }),
  ),
  ...imageFamily(
    [...official('redis'), 'registry.k8s.io/redis', 'k8s.gcr.io/redis'],
    [
      '8.0.2 8.0 8 latest',
      '7.4.2 7.4 7 7.4.1 7.4.0',
      '7.2.7 7.2 7.2.4',
      '7.0.15 7.0 7.0.0',
      '6.2.17 6.2 6',
      '6.0.20 6.0',
      '5.0.14 5.0 5 e2e',
    ],
    (version) => redis(version, redisDebian),
  ),
  ...imageFamily(
    official('redis'),
    [
      '8.0.2-alpine 8.0-alpine 8-alpine alpine',
      '7.4.2-alpine 7.4-alpine 7-alpine',
      '7.2.7-alpine 7.2-alpine',
      '7.0.15-alpine 7.0-alpine',
      '6.2.17-alpine 6.2-alpine 6-alpine',
      '5.0.14-alpine 5-alpine',
    ],
    (version) => redis(version, redisAlpine),
  ),
  ...imageFamily(
    ['registry.k8s.io/e2e-test-images/redis', 'k8s.gcr.io/e2e-test-images/redis'],
    ['5.0.5-3', '5.0.5-alpine'],
    (version) => redis(version, redisAlpine),
  ),
  ...imageFamily(
    [...official('httpd'), 'registry.k8s.io/e2e-test-images/httpd', 'k8s.gcr.io/e2e-test-images/httpd'],
    [
      '2.4.63 2.4 2 latest 2.4-alpine alpine',
      '2.4.57',
      '2.4.39-4 2.4.39-alpine',
      '2.4.38-4 2.4.38-2 2.4.38-1 2.4.38-alpine',
    ],
    () => ({
      files: httpdFiles,
      cmd: ['httpd-foreground'],
      workingDir: '/usr/local/apache2',
      env: { PATH: `/usr/local/apache2/bin:${path}`, HTTPD_VERSION: '2.4.63' },
      exposedPorts: ['80/tcp'],
      stopSignal: 'SIGWINCH',
      sizeBytes: 58_000_000,
    }),
  ),
  ...imageFamily(
    official('python'),
    [
      '3.13 3 latest 3.13-slim slim 3-slim alpine 3-alpine 3.13-alpine',
      '3.12 3.12-slim 3.12-alpine',
      '3.11 3.11-slim 3.11-alpine',
      '3.10 3.10-slim',
      '3.9 3.9-slim 3.8',
    ],
    (version) => ({
      files: python,
      cmd: ['python3'],
      env: { PATH: path, PYTHON_VERSION: `${version}.0` },
      sizeBytes: 365_000_000,
    }),
  ),
  ...imageFamily(
    official('node'),
    ['22 lts latest 22-alpine 22-slim alpine', '20 20-alpine 20-slim', '18 18-alpine 18-slim', '16 16-alpine'],
    (version) => ({
      files: interpreter('node', 'node'),
      cmd: ['node'],
      env: { PATH: path, NODE_VERSION: `${version}.0.0` },
      sizeBytes: 400_000_000,
    }),
  ),
  ...imageFamily(
    [...official('openjdk'), ...official('eclipse-temurin'), ...official('amazoncorretto')],
    ['21 latest 21-jre 21-slim 21-jdk', '17 17-jre 17-jdk 17-slim', '11 11-jre 8 8-jre'],
    () => ({
      files: once(() => ({ ...interpreter('java', 'java')(), '/usr/local/bin/jshell': { program: 'java' } })),
      cmd: ['jshell'],
      env: { PATH: path },
      sizeBytes: 230_000_000,
    }),
  ),
];
