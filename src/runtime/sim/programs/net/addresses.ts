import { isIP } from 'node:net';
import { isSysError, strerror } from '../../errno.ts';
import { connect, lookupHost } from '../../net/sockets.ts';
import { type Applet, Failure, usage } from '../applet.ts';

/** A link address that stays the same for an IP, as the bridge plugin derives it. */
export const macOf = (ip: string): string =>
  ip.includes('.')
    ? `02:42:${ip
        .split('.')
        .map((part) => Number(part).toString(16).padStart(2, '0'))
        .join(':')}`
    : '02:42:00:00:00:02';

const gatewayOf = (ip: string): string => ip.replace(/\.\d+$/, '.1');
const networkOf = (ip: string): string => ip.replace(/\.\d+$/, '.0');
const v4 = (a: Applet): string | undefined => a.p.workload.net.ips.find((ip) => isIP(ip) === 4);

/** ip addr|link|route|neigh [show …]: reading only. */
export async function ip(a: Applet): Promise<number> {
  const words = a.args.filter((word) => !/^-/.test(word));
  const family6 = a.args.includes('-6');
  const brief = a.args.includes('-br') || a.args.includes('-brief');
  const [object = '', action = 'show'] = words;
  if (object === '') throw usage(a);
  if (!/^(s|sh|show|l|ls|list|get)/.test(action)) throw new Failure('RTNETLINK answers: Operation not permitted', 2);
  const own = v4(a);
  const { ips } = a.p.workload.net;
  if ('address'.startsWith(object) && object !== '') {
    const device = words.find((word) => word === 'eth0' || word === 'lo');
    if (brief) {
      await a.out(`lo               UNKNOWN        127.0.0.1/8 ::1/128 \n`);
      if (ips.length > 0)
        await a.out(
          `eth0@if2         UP             ${ips.map((one) => `${one}/${isIP(one) === 4 ? 24 : 64}`).join(' ')} \n`,
        );
      return 0;
    }
    if (device !== 'eth0')
      await a.out(
        '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n    inet6 ::1/128 scope host \n       valid_lft forever preferred_lft forever\n',
      );
    if (device === 'lo' || ips.length === 0) return 0;
    await a.out(
      `2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue \n    link/ether ${macOf(own ?? '')} brd ff:ff:ff:ff:ff:ff\n`,
    );
    for (const one of ips)
      await a.out(
        isIP(one) === 4
          ? `    inet ${one}/24 brd ${one.replace(/\.\d+$/, '.255')} scope global eth0\n       valid_lft forever preferred_lft forever\n`
          : `    inet6 ${one}/64 scope global \n       valid_lft forever preferred_lft forever\n`,
      );
  } else if ('link'.startsWith(object)) {
    await a.out(
      '1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n',
    );
    if (own)
      await a.out(
        `2: eth0@if3: <BROADCAST,MULTICAST,UP,LOWER_UP,M-DOWN> mtu 1500 qdisc noqueue \n    link/ether ${macOf(own)} brd ff:ff:ff:ff:ff:ff\n`,
      );
  } else if ('route'.startsWith(object)) {
    if (own && !family6) {
      if (action === 'get') await a.out(`${words[2]} via ${gatewayOf(own)} dev eth0  src ${own} \n`);
      else
        await a.out(`default via ${gatewayOf(own)} dev eth0 \n${networkOf(own)}/24 dev eth0 scope link  src ${own} \n`);
    }
  } else if ('neighbour'.startsWith(object)) {
    if (own) await a.out(`${gatewayOf(own)} dev eth0 lladdr ${macOf(gatewayOf(own))} REACHABLE\n`);
  } else throw new Failure(`Object "${object}" is unknown, try "ip help".`);
  return 0;
}

/** ifconfig [INTERFACE] */
export async function ifconfig(a: Applet): Promise<number> {
  const [name] = a.args.filter((word) => !word.startsWith('-'));
  const own = v4(a);
  if (name !== undefined && name !== 'lo' && !(name === 'eth0' && own))
    throw new Failure(`${name}: error fetching interface information: Device not found`);
  const counters =
    '          RX packets:0 errors:0 dropped:0 overruns:0 frame:0\n          TX packets:0 errors:0 dropped:0 overruns:0 carrier:0\n          collisions:0 txqueuelen:1000 \n          RX bytes:0 (0.0 B)  TX bytes:0 (0.0 B)\n\n';
  if (own && name !== 'lo')
    await a.out(
      `eth0      Link encap:Ethernet  HWaddr ${macOf(own).toUpperCase()}  \n          inet addr:${own}  Bcast:${own.replace(/\.\d+$/, '.255')}  Mask:255.255.255.0\n          UP BROADCAST RUNNING MULTICAST  MTU:1500  Metric:1\n${counters}`,
    );
  if (name !== 'eth0')
    await a.out(
      `lo        Link encap:Local Loopback  \n          inet addr:127.0.0.1  Mask:255.0.0.0\n          UP LOOPBACK RUNNING  MTU:65536  Metric:1\n${counters}`,
    );
  return 0;
}

/** route [-n] */
export async function route(a: Applet): Promise<number> {
  const own = v4(a);
  const numeric = a.args.includes('-n');
  await a.out(
    'Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n',
  );
  if (!own) return 0;
  const row = (to: string, gateway: string, mask: string, flags: string): string =>
    `${to.padEnd(15)} ${gateway.padEnd(15)} ${mask.padEnd(15)} ${flags.padEnd(5)} 0      0        0 eth0\n`;
  await a.out(row(numeric ? '0.0.0.0' : 'default', gatewayOf(own), '0.0.0.0', 'UG'));
  await a.out(row(networkOf(own), numeric ? '0.0.0.0' : '*', '255.255.255.0', 'U'));
  return 0;
}

/** netstat and ss: listening and connected sockets of the pod. */
export async function netstat(a: Applet): Promise<number> {
  const options = a.options('tulnapwxreWc46Hio', {
    listening: 'l',
    tcp: 't',
    udp: 'u',
    numeric: 'n',
    all: 'a',
    processes: 'p',
  });
  if (options.has('r')) return route(a);
  const { net } = a.p.workload;
  const tcp = options.has('t') || !options.has('u');
  const udp = options.has('u') || !options.has('t');
  const listening = options.has('l') || options.has('a');
  const connected = !options.has('l') || options.has('a');
  const ss = a.name === 'ss';
  if (ss) await a.out('Netid State  Recv-Q Send-Q Local Address:Port  Peer Address:Port\n');
  else
    await a.out(
      `Active Internet connections (${options.has('a') ? 'servers and established' : options.has('l') ? 'only servers' : 'w/o servers'})\nProto Recv-Q Send-Q Local Address           Foreign Address         State       ${options.has('p') ? 'PID/Program name    ' : ''}\n`,
    );
  const owner = (port: number): string => {
    for (const p of a.p.workload.pids.processes.values())
      if (p.fds.some((file) => file?.kind === 'socket' && (file as { local?: { port: number } }).local?.port === port))
        return `${p.pid}/${p.comm}`;
    return '-';
  };
  const row = async (proto: string, local: string, peer: string, state: string, port: number): Promise<void> => {
    if (ss)
      await a.out(
        `${proto.slice(0, 3).padEnd(5)} ${state === 'LISTEN' ? 'LISTEN' : state === 'ESTABLISHED' ? 'ESTAB ' : 'UNCONN'} 0      ${state === 'LISTEN' ? '128   ' : '0     '} ${local.padEnd(19)} ${peer}\n`,
      );
    else
      await a.out(
        `${proto.padEnd(5)} ${'0'.padStart(6)} ${'0'.padStart(6)} ${local.padEnd(23)} ${peer.padEnd(23)} ${state.padEnd(11)} ${options.has('p') ? owner(port) : ''}\n`,
      );
  };
  if (tcp && listening)
    for (const { local } of net.tcp.values())
      await row('tcp', `${local.ip}:${local.port}`, '0.0.0.0:*', 'LISTEN', local.port);
  if (tcp && connected)
    for (const { local, remote } of net.connections)
      await row('tcp', `${local.ip}:${local.port}`, `${remote.ip}:${remote.port}`, 'ESTABLISHED', local.port);
  if (udp && listening)
    for (const { local } of net.udp.values())
      await row('udp', `${local.ip}:${local.port}`, '0.0.0.0:*', '', local.port);
  return 0;
}

/**
 * ping [-c N] [-W SEC] [-w SEC] [-q] HOST. The virtual network has no ICMP of its own: a host answers when its address is
 * taken and nothing is in the way, which a connection attempt shows whether or not anything listens.
 */
export async function ping(a: Applet): Promise<number> {
  const options = a.options('c:W:w:i:s:I:qt:A4n6', {});
  const [name] = options.rest;
  if (name === undefined) throw usage(a);
  if (a.p.credentials.uid !== 0 && !a.p.workload.capabilities.has('NET_RAW'))
    throw new Failure('permission denied (are you root?)');
  const found = await lookupHost(a.p, name);
  if (found.kind !== 'found')
    throw new Failure(
      a.flavour === 'gnu' ? `${name}: Name or service not known` : `bad address '${name}'`,
      a.flavour === 'gnu' ? 2 : 1,
    );
  const target = found.addresses[0] ?? name;
  const size = Number(options.value('s') ?? 56);
  const count = options.has('c') ? a.number(options.value('c') ?? '') : Number.POSITIVE_INFINITY;
  const deadline = options.has('w')
    ? a.p.workload.clock.monotonic() + Number(options.value('w')) * 1000
    : Number.POSITIVE_INFINITY;
  const waitMs = Number(options.value('W') ?? 10) * 1000;
  await a.out(
    a.flavour === 'gnu'
      ? `PING ${name} (${target}) ${size}(${size + 28}) bytes of data.\n`
      : `PING ${name} (${target}): ${size} data bytes\n`,
  );
  await a.flush();
  const times: number[] = [];
  let sent = 0;
  const finish = async (): Promise<number> => {
    const loss = sent === 0 ? 0 : Math.round(((sent - times.length) * 100) / sent);
    await a.out(
      `\n--- ${name} ${a.flavour === 'gnu' ? 'ping statistics' : 'ping statistics'} ---\n${sent} packets transmitted, ${times.length} ${a.flavour === 'gnu' ? 'received' : 'packets received'}, ${loss}% packet loss${a.flavour === 'gnu' ? `, time ${(sent - 1) * 1000}ms` : ''}\n`,
    );
    if (times.length > 0) {
      const sum = times.reduce((total, time) => total + time, 0);
      const [low, mean, high] = [Math.min(...times), sum / times.length, Math.max(...times)].map((time) =>
        time.toFixed(3),
      );
      await a.out(
        a.flavour === 'gnu'
          ? `rtt min/avg/max/mdev = ${low}/${mean}/${high}/0.000 ms\n`
          : `round-trip min/avg/max = ${low}/${mean}/${high} ms\n`,
      );
    }
    await a.flush();
    return times.length > 0 ? 0 : 1;
  };
  a.p.handle('INT', () => void finish().then((code) => a.p.exit(code)));
  for (let seq = a.flavour === 'gnu' ? 1 : 0; sent < count && a.p.workload.clock.monotonic() < deadline; seq++) {
    sent++;
    const started = a.p.workload.clock.monotonic();
    const answered = await reaches(a, target, Math.min(waitMs, deadline - started));
    const time = a.p.workload.clock.monotonic() - started + 0.05;
    if (answered) {
      times.push(time);
      if (!options.has('q'))
        await a.out(
          a.flavour === 'gnu'
            ? `${size + 8} bytes from ${target}: icmp_seq=${seq} ttl=64 time=${time.toFixed(3)} ms\n`
            : `${size + 8} bytes from ${target}: seq=${seq} ttl=64 time=${time.toFixed(3)} ms\n`,
        );
      await a.flush();
    }
    if (sent < count) await a.p.sleep(Math.max(0, Number(options.value('i') ?? 1) * 1000 - time));
  }
  return finish();
}

async function reaches(a: Applet, target: string, waitMs: number): Promise<boolean> {
  try {
    const { fd } = await connect(a.p, target, 7, Math.max(1, waitMs));
    a.p.close(fd);
    return true;
  } catch (error) {
    if (!isSysError(error)) throw error;
    if (error.code === 'ENETUNREACH') throw new Failure(`sendto: ${strerror(error)}`);
    return error.code === 'ECONNREFUSED';
  }
}

/** arp, traceroute: only what can be told. */
export async function arp(a: Applet): Promise<number> {
  const own = v4(a);
  if (own) await a.out(`? (${gatewayOf(own)}) at ${macOf(gatewayOf(own))} [ether]  on eth0\n`);
  return 0;
}
