import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { isSysError, strerror } from '../../errno.ts';
import { find } from '../../vfs/mount-space.ts';
import { unlinkPath } from '../../vfs/operations.ts';
import { type Applet, Failure, usage } from '../applet.ts';
import { allLines, eachInput } from '../input.ts';
import { parseSize } from './make.ts';

/** base64 [-d] [-w N] [FILE] */
export async function base64(a: Applet): Promise<number> {
  const options = a.options('dDw:i', { decode: 'd', wrap: 'w', 'ignore-garbage': 'i' });
  const width = a.number(options.value('w') ?? '76');
  return eachInput(a, options.rest.slice(0, 1), async (fd) => {
    const data = await a.p.readAll(fd);
    if (options.has('d') || options.has('D')) {
      const text = data.toString('latin1').replace(/\s/g, '');
      if (/[^A-Za-z0-9+/=]/.test(text) || text.replace(/=+$/, '').length % 4 === 1)
        throw new Failure(
          a.flavour === 'gnu'
            ? 'invalid input'
            : 'truncated input'.replace('truncated', /[^A-Za-z0-9+/=]/.test(text) ? 'truncated' : 'truncated'),
        );
      await a.out(Buffer.from(text, 'base64'));
      return;
    }
    const text = data.toString('base64');
    const lines = width > 0 ? (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []) : [text];
    await a.out(lines.join('\n') + (width > 0 && text !== '' ? '\n' : ''));
  });
}

/** md5sum, sha1sum, sha256sum, sha512sum [-c] [FILE]… */
export async function checksum(a: Applet): Promise<number> {
  const options = a.options('csbtw', { check: 'c', status: 's' });
  const algorithm = a.name.replace('sum', '');
  const digest = async (fd: number): Promise<string> => {
    const hash = createHash(algorithm);
    for (let part = await a.p.read(fd); part !== null; part = await a.p.read(fd)) hash.update(part);
    return hash.digest('hex');
  };
  if (!options.has('c'))
    return eachInput(a, options.rest, async (fd, name) => void (await a.out(`${await digest(fd)}  ${name}\n`)));
  let failed = 0;
  let total = 0;
  const status = await eachInput(a, options.rest, async (list) => {
    for (const line of await allLines(a.p, list)) {
      const match = /^(\w+)\s[ *](.*)$/.exec(line);
      if (!match) continue;
      total++;
      const name = match[2] ?? '';
      let good = false;
      try {
        const fd = a.p.open(name, { read: true });
        good = (await digest(fd)) === match[1];
        a.p.close(fd);
      } catch (error) {
        await a.cannotOpen(name, error);
      }
      if (!good) failed++;
      if (!options.has('s')) await a.out(`${name}: ${good ? 'OK' : 'FAILED'}\n`);
    }
  });
  if (failed > 0)
    await a.warn(
      a.flavour === 'gnu'
        ? `WARNING: ${failed} computed checksum${failed > 1 ? 's' : ''} did NOT match`
        : `WARNING: ${failed} of ${total} computed checksums did NOT match`,
    );
  return failed > 0 ? 1 : status;
}

/** dd [if=] [of=] [bs=] [count=] [skip=] [seek=] [conv=] */
export async function dd(a: Applet): Promise<number> {
  const set = new Map<string, string>();
  for (const word of a.args) {
    const at = word.indexOf('=');
    if (at < 0) throw usage(a);
    set.set(word.slice(0, at), word.slice(at + 1));
  }
  const size = (name: string, fallback: number): number => {
    const text = set.get(name);
    if (text === undefined) return fallback;
    const value = text.split('x').reduce<number | undefined>((product, part) => {
      const one = parseSize(part);
      return one === undefined || product === undefined ? undefined : product * one;
    }, 1);
    if (value === undefined) throw new Failure(`invalid number '${text}'`);
    return value;
  };
  const block = size('bs', size('ibs', 512));
  const count = set.has('count') ? size('count', 0) : Number.POSITIVE_INFINITY;
  const convert = (set.get('conv') ?? '').split(',');
  const open = (path: string, write: boolean): number => {
    try {
      return a.p.open(
        path,
        write
          ? { write: true, create: true, truncate: !convert.includes('notrunc') && size('seek', 0) === 0 }
          : { read: true },
      );
    } catch (error) {
      if (!isSysError(error)) throw error;
      throw new Failure(
        a.flavour === 'gnu'
          ? `failed to open '${path}': ${strerror(error)}`
          : `can't open '${path}': ${strerror(error)}`,
      );
    }
  };
  const from = set.has('if') ? open(set.get('if') ?? '', false) : 0;
  const to = set.has('of') ? open(set.get('of') ?? '', true) : 1;
  // As the buffer of the real one: `bs` bytes of memory.
  await a.p.allocate(block);
  const source = a.p.file(from);
  if (source.inode?.data) source.offset = size('skip', 0) * block;
  if (a.p.file(to).inode) a.p.file(to).offset = size('seek', 0) * block;
  const started = a.p.workload.clock.monotonic();
  const total = { full: 0, partial: 0, outFull: 0, outPartial: 0, bytes: 0 };
  const report = async (): Promise<void> => {
    const seconds = Math.max(0.000_001, (a.p.workload.clock.monotonic() - started) / 1000);
    const mib = total.bytes / 1_048_576;
    const human =
      a.flavour === 'gnu'
        ? `${total.bytes} bytes${total.bytes >= 1000 ? ` (${(total.bytes / 1e6).toFixed(1)} MB, ${mib.toFixed(1)} MiB)` : ''} copied, ${seconds.toFixed(6)} s, ${(total.bytes / 1e6 / seconds).toFixed(1)} MB/s`
        : `${total.bytes} bytes (${mib.toFixed(1)}MB) copied, ${seconds.toFixed(6)} seconds, ${(mib / seconds).toFixed(1)}MB/s`;
    await a.p.complain(`${total.full}+${total.partial} records in\n${total.outFull}+${total.outPartial} records out\n`);
    if (set.get('status') !== 'noxfer' && set.get('status') !== 'none') await a.p.complain(`${human}\n`);
  };
  try {
    while (total.full + total.partial < count) {
      let filled = 0;
      let end = false;
      while (filled < block) {
        const part = await a.p.read(from, Math.min(block - filled, 1 << 20));
        if (part === null) {
          end = true;
          break;
        }
        await a.p.write(to, part);
        filled += part.length;
        total.bytes += part.length;
        if (
          part.length < Math.min(block, 65_536) &&
          source.kind !== 'file' &&
          filled < block &&
          !convert.includes('fullblock') &&
          set.get('iflag') !== 'fullblock'
        )
          break;
      }
      if (filled === block) {
        total.full++;
        total.outFull++;
      } else if (filled > 0) {
        total.partial++;
        total.outPartial++;
      }
      if (end) break;
    }
  } catch (error) {
    if (!isSysError(error)) throw error;
    await a.warn(
      a.flavour === 'gnu'
        ? `error writing '${set.get('of') ?? 'standard output'}': ${strerror(error)}`
        : `error writing '${set.get('of') ?? 'standard output'}': ${strerror(error)}`,
    );
    if (set.get('status') !== 'none') await report();
    return 1;
  }
  if (set.get('status') !== 'none') await report();
  return 0;
}

/** od [-c|-x|-b|-t TYPE] [-A RADIX] [-N COUNT] and hexdump [-C] */
export async function od(a: Applet): Promise<number> {
  const options = a.options('cxbdoCvn:t:A:N:j:s:e:');
  const operands = options.rest;
  const parts: Uint8Array[] = [];
  const status = await eachInput(a, operands, async (fd) => void parts.push(await a.p.readAll(fd)));
  const limit = options.value('N') ?? (a.name === 'od' ? undefined : options.value('n'));
  const data = Buffer.concat(parts)
    .subarray(Number(options.value('j') ?? options.value('s') ?? 0))
    .subarray(0, limit === undefined ? undefined : a.number(limit));
  const dump = a.name === 'hexdump' || a.name === 'hd' || a.name === 'xxd';
  const canonical = options.has('C') || a.name === 'hd';
  const radix = options.value('A') ?? 'o';
  const address = (at: number): string =>
    dump
      ? at.toString(16).padStart(canonical ? 8 : 7, '0')
      : radix === 'n'
        ? ''
        : radix === 'x'
          ? at.toString(16).padStart(6, '0')
          : radix === 'd'
            ? String(at).padStart(7, '0')
            : at.toString(8).padStart(7, '0');
  const type = options.has('c')
    ? 'c'
    : options.has('x')
      ? 'x2'
      : options.has('b')
        ? 'o1'
        : (options.value('t') ?? (dump ? 'x2' : 'o2'));
  let last = '';
  let starred = false;
  for (let at = 0; at < data.length; at += 16) {
    const row = data.subarray(at, at + 16);
    const text = canonical ? canonicalRow(row) : rowText(row, type);
    if (text === last && row.length === 16 && !options.has('v')) {
      if (!starred) await a.out('*\n');
      starred = true;
      continue;
    }
    starred = false;
    last = text;
    await a.out(`${address(at)}${text}\n`);
  }
  if (data.length > 0 || !dump) if (radix !== 'n' || dump) await a.out(`${address(data.length)}\n`);
  return status;
}

function canonicalRow(row: Buffer): string {
  const hex = [...row].map((byte) => byte.toString(16).padStart(2, '0'));
  const left = hex.slice(0, 8).join(' ').padEnd(23);
  const right = hex.slice(8).join(' ').padEnd(23);
  return `  ${left}  ${right}  |${[...row].map((byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.')).join('')}|`;
}

const named: Readonly<Record<number, string>> = {
  0: '\\0',
  7: '\\a',
  8: '\\b',
  9: '\\t',
  10: '\\n',
  11: '\\v',
  12: '\\f',
  13: '\\r',
};

function rowText(row: Buffer, type: string): string {
  if (type.startsWith('c'))
    return [...row]
      .map((byte) =>
        (
          named[byte] ?? (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : byte.toString(8).padStart(3, '0'))
        ).padStart(4),
      )
      .join('');
  const width = Number(/\d/.exec(type)?.[0] ?? 2);
  const base = type.startsWith('x') ? 16 : type.startsWith('o') ? 8 : 10;
  const digits =
    base === 16 ? width * 2 : base === 8 ? Math.ceil((width * 8) / 3) : ({ 1: 3, 2: 5, 4: 10, 8: 20 }[width] ?? 5);
  const cells: string[] = [];
  for (let at = 0; at < row.length; at += width) {
    let value = 0n;
    for (let i = width - 1; i >= 0; i--) value = (value << 8n) | BigInt(row[at + i] ?? 0);
    cells.push(` ${value.toString(base).padStart(digits, base === 10 ? ' ' : '0')}`);
  }
  return cells.join('');
}

/** gzip [-dckf] [FILE]…, gunzip, zcat */
export async function gzip(a: Applet): Promise<number> {
  const options = a.options('dckfnv123456789tq', { decompress: 'd', stdout: 'c', keep: 'k', force: 'f' });
  const expand = options.has('d') || a.name === 'gunzip' || a.name === 'zcat';
  const toOut = options.has('c') || a.name === 'zcat';
  const convert = (data: Uint8Array): Buffer => {
    try {
      return expand ? gunzipSync(data, { maxOutputLength: 1 << 28 }) : gzipSync(data);
    } catch {
      throw new Failure(a.flavour === 'gnu' ? 'stdin: not in gzip format' : 'invalid magic');
    }
  };
  for (const name of options.rest.length > 0 ? options.rest : ['-']) {
    try {
      const fd = name === '-' ? 0 : a.p.open(name, { read: true });
      const result = convert(await a.p.readAll(fd));
      if (name === '-' || toOut) {
        await a.out(result);
        continue;
      }
      const { inode } = find(a.p.view, name);
      const target = expand ? name.replace(/\.t?gz$/, '') : `${name}.gz`;
      if (expand && target === name) throw new Failure(`${name}: unknown suffix - ignored`);
      const sink = a.p.open(target, { write: true, create: true, truncate: true }, inode.mode);
      await a.p.write(sink, result);
      a.p.close(sink);
      if (!options.has('k')) unlinkPath(a.p.view, name);
    } catch (error) {
      if (!isSysError(error)) throw error;
      return a.warn(`${name}: ${strerror(error)}`);
    }
  }
  return 0;
}
