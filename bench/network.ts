import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { systemClock } from '../src/base/clock.ts';
import { startLifetime } from '../src/base/lifetime.ts';
import { systemRandom } from '../src/base/random.ts';
import { defaultCorefile } from '../src/network/dns/corefile.ts';
import { startDnsServer } from '../src/network/dns/server.ts';
import { zoneDataOf } from '../src/network/dns/zone-data.ts';
import type { ServicePort } from '../src/network/proxy/endpoints.ts';
import { fragmentOf } from '../src/network/proxy/fragment.ts';
import { changeTransaction, fullTransaction, purgeTransaction } from '../src/network/proxy/nftables.ts';
import { ruleTable } from '../src/network/proxy/rule-table.ts';
import { quantile } from './raw-client.ts';
import { machineLine, type Row, renderTable } from './table.ts';

/**
 * `npm run bench:network`: service rules and cluster DNS. Runs itself in a network namespace of its own, where it may; the machine's rules
 * are left alone. Each number is the median where not said otherwise.
 */
const options = { node: { name: 'n1', zone: '' }, clusterCidr: '10.244.0.0/16' };
const tableOptions = { clusterCidr: '10.244.0.0/16', nodeIps: ['192.0.2.1'] };
const ms = (value: number): string => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/** A service of two endpoints, or as many as asked for, on loopback ports where `real`. */
function service(index: number, endpoints: readonly { readonly ip: string; readonly port: number }[]): ServicePort {
  return {
    key: `default/s${index}/TCP/IPv4`,
    namespace: 'default',
    name: `s${index}`,
    portName: '',
    protocol: 'TCP',
    port: 80,
    family: 'IPv4',
    clusterIp: `10.96.${index >> 8}.${index & 255}`,
    nodePort: 0,
    externalIps: [],
    loadBalancerIps: [],
    sourceRanges: [],
    affinitySeconds: 0,
    internalLocal: false,
    externalLocal: false,
    endpoints: endpoints.map((it) => ({
      ...it,
      ready: true,
      serving: true,
      terminating: false,
      node: 'n2',
      zoneHints: [],
      nodeHints: [],
    })),
  };
}
const pair = (index: number, more = 0) =>
  Array.from({ length: 2 + more }, (_, i) => ({
    ip: `10.244.${(index >> 6) & 255}.${(index & 63) * 4 + i}`,
    port: 8080,
  }));

function nft(script: string): number {
  const began = performance.now();
  const { status, stderr } = spawnSync('nft', ['-f', '-'], { input: script, encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return performance.now() - began;
}

/** From an endpoint that comes or goes to its effect in the kernel, with so many services there. */
function changes(count: number, rows: Row[]): void {
  const table = ruleTable('ip');
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    const port = service(i, pair(i));
    table.set(port.key, fragmentOf(port, options));
  }
  const full = fullTransaction(table, tableOptions);
  table.take();
  const made = performance.now() - began;
  const applied = nft(full);
  const times: number[] = [];
  for (let i = 0; i < 15; i++) {
    const from = performance.now();
    const port = service(7 % count, pair(7 % count, i % 2 === 0 ? 1 : 0));
    table.set(port.key, fragmentOf(port, options));
    const { script } = changeTransaction(table, table.take(), tableOptions, { chains: [], sets: [] });
    nft(script);
    times.push(performance.now() - from);
  }
  times.sort((a, b) => a - b);
  const text = `${ms(quantile(times, 0.5))} (p99 ${ms(quantile(times, 0.99))})`;
  rows.push({ what: `endpoint change to effect, ${count} Services`, measured: text, aim: '100 ms' });
  rows.push({ what: `whole table, ${count} Services`, measured: `${ms(made)} made, ${ms(applied)} applied`, aim: '' });
}

/** New TCP connections a second, one after the other, directly and through a Service. */
async function connections(rows: Row[]): Promise<void> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  spawnSync('ip', ['route', 'add', '10.96.0.0/12', 'dev', 'lo', 'src', '127.0.0.1']);
  const server = createServer((socket) => socket.end('x'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const table = ruleTable('ip');
  for (let i = 0; i < 5000; i++) {
    const it = service(i, i === 0 ? [{ ip: '127.0.0.1', port }] : pair(i));
    table.set(it.key, fragmentOf(it, { node: options.node }));
  }
  nft(fullTransaction(table, { nodeIps: [] }));
  const rate = async (host: string, to: number): Promise<number> => {
    const began = performance.now();
    let done = 0;
    while (performance.now() - began < 3000) {
      await new Promise<void>((resolve, reject) => {
        const socket = connect({ host, port: to }, () => undefined);
        socket.on('data', () => undefined);
        socket.once('close', () => resolve());
        socket.once('error', reject);
      });
      done++;
    }
    return done / 3;
  };
  await rate('127.0.0.1', port);
  const direct = await rate('127.0.0.1', port);
  const through = await rate('10.96.0.0', 80);
  server.close();
  rows.push({
    what: 'connections a second through a Service (of 5000) over direct',
    measured: `${Math.round(through)} over ${Math.round(direct)}: ${Math.round((through / direct) * 100)} %`,
    aim: '',
  });
}

function question(name: string): Buffer {
  const labels = name.split('.').flatMap((it) => [Buffer.from([it.length]), Buffer.from(it)]);
  return Buffer.concat([Buffer.from([0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}

/** A client in a process of its own: 64 questions under way, for `seconds`. */
async function askDns(port: number, seconds: number): Promise<void> {
  const questions = Array.from({ length: 1000 }, (_, i) => question(`s${i}.default.svc.cluster.local`));
  const socket = createSocket('udp4');
  const sent = new Map<number, number>();
  const times: number[] = [];
  let next = 0;
  const ask = (): void => {
    const id = next & 0xffff;
    const message = Buffer.from(questions[next++ % questions.length] as Buffer);
    message.writeUInt16BE(id, 0);
    sent.set(id, performance.now());
    socket.send(message, port, '127.0.0.1');
  };
  socket.on('message', (message) => {
    const id = message.readUInt16BE(0);
    const at = sent.get(id);
    if (at === undefined) return;
    sent.delete(id);
    times.push(performance.now() - at);
    ask();
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const began = performance.now();
  for (let i = 0; i < 64; i++) ask();
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const took = (performance.now() - began) / 1000;
  times.sort((a, b) => a - b);
  process.stdout.write(
    JSON.stringify({ rate: times.length / took, p50: quantile(times, 0.5), p99: quantile(times, 0.99) }),
  );
  process.exit(0);
}

async function dns(rows: Row[]): Promise<void> {
  spawnSync('ip', ['link', 'set', 'lo', 'up']);
  const services = Array.from({ length: 1000 }, (_, i) => ({
    metadata: { name: `s${i}`, namespace: 'default' },
    spec: { type: 'ClusterIP', clusterIP: `10.96.0.${i & 255}`, clusterIPs: [`10.96.0.${i & 255}`] },
  }));
  const byName = new Map(services.map((it) => [it.metadata.name, it]));
  const data = zoneDataOf({ namespaces: ['default'], services: [], slices: [] });
  const lifetime = startLifetime((error) => console.error(error));
  const log = { debug: () => undefined, info: () => undefined, warn: console.warn, error: console.error };
  const server = await startDnsServer({
    corefile: defaultCorefile('cluster.local'),
    data: { ...data, service: (_namespace, name) => byName.get(name) },
    clock: systemClock,
    random: systemRandom(),
    log: {
      ...log,
      with: () => ({
        ...log,
        with: () => {
          throw new Error('not asked for');
        },
      }),
    },
    lifetime,
    listen: ['127.0.0.1'],
    port: 0,
    readFile: async () => 'nameserver 127.0.0.1\n',
  });
  const port = server.addresses[0]?.port ?? 0;
  const { spawn } = await import('node:child_process');
  const cpu = process.cpuUsage();
  const client = spawn(process.execPath, [process.argv[1] ?? '', 'ask', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  client.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  await new Promise((resolve) => client.once('close', resolve));
  const used = process.cpuUsage(cpu);
  const { rate, p50, p99 } = JSON.parse(said) as { rate: number; p50: number; p99: number };
  await lifetime.end();
  rows.push({
    what: 'DNS queries a second, 1000 names',
    measured: Math.round(rate).toLocaleString('en'),
    aim: '20,000',
  });
  rows.push({ what: 'DNS p50 / p99, 64 under way', measured: `${p50.toFixed(2)} / ${p99.toFixed(2)} ms`, aim: '' });
  const micros = (used.user + used.system) / (rate * 8);
  rows.push({ what: 'CPU of the DNS server for a query', measured: `${micros.toFixed(0)} µs`, aim: '50 µs' });
  rows.push({ what: 'memory of this process', measured: `${Math.round(process.memoryUsage().rss / 1e6)} MB`, aim: '' });
}

async function main(): Promise<void> {
  if (process.argv[2] === 'ask') return askDns(Number(process.argv[3]), 8);
  if (process.argv[2] !== 'inside') {
    const { status } = spawnSync('unshare', ['-n', process.execPath, process.argv[1] ?? '', 'inside'], {
      stdio: 'inherit',
    });
    process.exitCode = status ?? 1;
    return;
  }
  const rows: Row[] = [];
  for (const count of [10, 1000, 5000]) {
    changes(count, rows);
    nft(purgeTransaction('ip'));
  }
  await connections(rows);
  await dns(rows);
  console.log(machineLine());
  console.log(renderTable(rows));
}

await main();
