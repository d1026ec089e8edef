import { isIP } from 'node:net';
import { SysError } from '../../errno.ts';
import type { DnsReply } from '../../net/dns-message.ts';
import { lookupHost, query, resolverConfig } from '../../net/sockets.ts';
import { type Applet, usage } from '../applet.ts';

const reverse = (ip: string): string => `${ip.split('.').reverse().join('.')}.in-addr.arpa`;

function record(answer: DnsReply['answers'][number]): string {
  const { name, type, data } = answer;
  switch (type) {
    case 'A':
    case 'AAAA':
      return `Name:\t${name}\nAddress: ${String(data)}\n`;
    case 'CNAME':
      return `${name}\tcanonical name = ${String(data)}\n`;
    case 'PTR':
      return `${name}\tname = ${String(data)}\n`;
    case 'NS':
      return `${name}\tnameserver = ${String(data)}\n`;
    case 'MX': {
      const { preference, exchange } = data as { preference?: number; exchange: string };
      return `${name}\tmail exchanger = ${preference ?? 0} ${exchange}\n`;
    }
    case 'TXT':
      return `${name}\ttext = "${(Array.isArray(data) ? data : [data]).map((part) => Buffer.from(part as string).toString()).join('')}"\n`;
    case 'SRV': {
      const { priority, weight, port, target } = data as {
        priority: number;
        weight: number;
        port: number;
        target: string;
      };
      return `${name}\tservice = ${priority} ${weight} ${port} ${target}\n`;
    }
    case 'SOA': {
      const soa = data as {
        mname: string;
        rname: string;
        serial: number;
        refresh: number;
        retry: number;
        expire: number;
        minimum: number;
      };
      return `${name}\n\torigin = ${soa.mname}\n\tmail addr = ${soa.rname}\n\tserial = ${soa.serial}\n\trefresh = ${soa.refresh}\n\tretry = ${soa.retry}\n\texpire = ${soa.expire}\n\tminimum = ${soa.minimum}\n`;
    }
    default:
      return `${name}\t${type} record\n`;
  }
}

/**
 * nslookup [-type=T] NAME [SERVER] as busybox prints it (networking/nslookup.c, the big variant): it asks with the search
 * domains only when the name has no dot.
 */
export async function nslookup(a: Applet): Promise<number> {
  const { p } = a;
  const config = await resolverConfig(p);
  const types: string[] = [];
  const words: string[] = [];
  let port = 53;
  let timeoutMs = config.timeoutMs;
  let attempts = config.attempts;
  for (const word of a.args) {
    const option = /^-(\w+)(?:=(.*))?$/.exec(word);
    if (!option) words.push(word);
    else if (/^(type|querytype|q|t)$/.test(option[1] ?? '')) types.push((option[2] ?? '').toUpperCase());
    else if (option[1] === 'port') port = Number(option[2]);
    else if (option[1] === 'timeout') timeoutMs = Number(option[2]) * 1000;
    else if (option[1] === 'retry') attempts = Number(option[2]);
  }
  const [name, given] = words;
  if (name === undefined) throw usage(a);
  let server = config.servers[0] ?? '127.0.0.1';
  if (given !== undefined) {
    const found = await lookupHost(p, given);
    if (found.kind !== 'found') {
      await a.warn(`bad address '${given}'`);
      return 1;
    }
    server = found.addresses[0] ?? given;
  }
  const address = isIP(name) === 4;
  const full = address ? reverse(name) : name;
  const asked = types.length > 0 ? types : address ? ['PTR'] : ['A', 'AAAA'];
  // Only a name without a dot is looked up in the search domains, and then in nothing else.
  const search = address || name.includes('.') ? [] : config.search.map((domain) => `${name}.${domain}`);
  const candidates = search.length > 0 ? search : [full.replace(/\.$/, '')];
  const ask = async (candidate: string, type: string): Promise<DnsReply | undefined> => {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const reply = await query(p, server, candidate, type, timeoutMs).catch((error: unknown) => {
        if (error instanceof SysError) return undefined;
        throw error;
      });
      if (reply) return reply;
    }
    return undefined;
  };
  await a.out(`Server:\t\t${server}\nAddress:\t${server}:${port}\n\n`);
  await a.flush();
  let failed = false;
  for (const type of asked)
    for (const candidate of candidates) {
      const reply = await ask(candidate, type);
      if (!reply) {
        await a.out(';; connection timed out; no servers could be reached\n\n');
        return 1;
      }
      if (reply.rcode !== 'NOERROR') {
        failed = true;
        await a.out(`** server can't find ${candidate}: ${reply.rcode}\n\n`);
        continue;
      }
      const note = reply.authoritative === false ? 'Non-authoritative answer:\n' : '';
      await a.out(`${note}${reply.answers.map(record).join('')}\n`);
    }
  return failed ? 1 : 0;
}

/** dig +short and getent hosts: the little that scripts use. */
export async function getent(a: Applet): Promise<number> {
  const [database, key] = a.args;
  if (database !== 'hosts' && database !== 'ahosts' && database !== 'ahostsv4') {
    await a.p.complain(`Unknown database: ${database ?? ''}\n`);
    return 1;
  }
  const found = await lookupHost(a.p, key ?? '');
  if (found.kind !== 'found') return 2;
  for (const ip of found.addresses)
    await a.out(
      database === 'hosts'
        ? `${ip.padEnd(15)} ${found.name}\n`
        : `${ip.padEnd(15)} STREAM ${found.name}\n${ip.padEnd(15)} DGRAM  \n${ip.padEnd(15)} RAW    \n`,
    );
  return 0;
}
