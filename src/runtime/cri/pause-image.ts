import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';

/**
 * The sandbox's own image, made here so that a node needs no registry for it: one static program of a few instructions, which lets the
 * kernel reap its children (SIGCHLD ignored) and sleeps for ever.
 *
 *   rt_sigaction(SIGCHLD, &{SIG_IGN, 0, 0, 0}, 0, 8); for (;;) pause();
 */
const x64Code = [
  ...[0xb8, 13, 0, 0, 0], // mov eax, 13 (rt_sigaction)
  ...[0xbf, 17, 0, 0, 0], // mov edi, 17 (SIGCHLD)
  ...[0x48, 0x8d, 0x35, 23, 0, 0, 0], // lea rsi, [rip + 23]: the action below
  ...[0x31, 0xd2], // xor edx, edx
  ...[0x41, 0xba, 8, 0, 0, 0], // mov r10d, 8
  ...[0x0f, 0x05], // syscall
  ...[0xb8, 34, 0, 0, 0], // mov eax, 34 (pause)
  ...[0x0f, 0x05], // syscall
  ...[0xeb, 0xf7], // jmp back to the mov before
  ...[0x90, 0x90, 0x90, 0x90],
  ...[1, 0, 0, 0, 0, 0, 0, 0], // sa_handler = SIG_IGN; flags, restorer and mask are zero
  ...new Array<number>(24).fill(0),
];

/** A 64-bit little-endian ELF executable with one read-and-execute segment (System V ABI, chapter 4). */
export function staticProgram(code: readonly number[], machine: number): Buffer {
  const base = 0x400000;
  const start = 64 + 56;
  const out = Buffer.alloc(start + code.length);
  out.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  out.writeUInt16LE(2, 16);
  out.writeUInt16LE(machine, 18);
  out.writeUInt32LE(1, 20);
  out.writeBigUInt64LE(BigInt(base + start), 24);
  out.writeBigUInt64LE(64n, 32);
  out.writeUInt16LE(64, 52);
  out.writeUInt16LE(56, 54);
  out.writeUInt16LE(1, 56);
  out.writeUInt32LE(1, 64);
  out.writeUInt32LE(5, 68);
  out.writeBigUInt64LE(BigInt(base), 80);
  out.writeBigUInt64LE(BigInt(base), 88);
  out.writeBigUInt64LE(BigInt(out.length), 96);
  out.writeBigUInt64LE(BigInt(out.length), 104);
  out.writeBigUInt64LE(0x1000n, 112);
  out.set(code, start);
  return out;
}

const sha256 = (data: Buffer): string => createHash('sha256').update(data).digest('hex');

/** A file of an image: its bytes (executable), bytes with a mode, or a hard link to a file before it. */
export type ImageFile =
  | Buffer
  | { readonly data: Buffer; readonly mode: number }
  | { readonly link: string }
  | { readonly directory: number };

async function tar(files: Readonly<Record<string, ImageFile>>): Promise<Buffer> {
  const archive = pack();
  for (const [name, file] of Object.entries(files)) {
    const common = { name, mode: 0o755, mtime: new Date(0) };
    if (Buffer.isBuffer(file)) archive.entry(common, file);
    else if ('link' in file) archive.entry({ ...common, type: 'link', linkname: file.link });
    else if ('directory' in file) archive.entry({ ...common, mode: file.directory, type: 'directory' });
    else archive.entry({ ...common, mode: file.mode }, file.data);
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** An image archive (`docker save` layout, which every runtime imports) of one layer with these files. */
export async function imageArchive(
  name: string,
  files: Readonly<Record<string, ImageFile>>,
  config: {
    readonly Entrypoint?: readonly string[];
    readonly Cmd?: readonly string[];
    readonly Env?: readonly string[];
    readonly User?: string;
    readonly WorkingDir?: string;
  },
  architecture = 'amd64',
): Promise<Buffer> {
  const layer = await tar(files);
  const image = Buffer.from(
    JSON.stringify({
      architecture,
      os: 'linux',
      config,
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
      history: [{ created_by: 'coracle' }],
    }),
  );
  const configFile = `${sha256(image)}.json`;
  const manifest = [{ Config: configFile, RepoTags: [name], Layers: ['layer.tar'] }];
  return tar({ [configFile]: image, 'layer.tar': layer, 'manifest.json': Buffer.from(JSON.stringify(manifest)) });
}

export const pauseImageName = 'coracle.local/pause:1';

/** The pause image for this machine's architecture; undefined where none can be made. */
export async function pauseImage(architecture: string): Promise<Buffer | undefined> {
  if (architecture !== 'x64') return undefined;
  return imageArchive(pauseImageName, { pause: staticProgram(x64Code, 62) }, { Entrypoint: ['/pause'] });
}
