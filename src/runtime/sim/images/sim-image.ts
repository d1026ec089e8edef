import type { Program } from '../kernel/workload.ts';
import type { Inode } from '../vfs/inode.ts';

/** An image of the virtual registry: data, and the programs that its executables run. */
export interface SimImage {
  /** Full repository: `docker.io/library/nginx`. */
  readonly repository: string;
  readonly tags: readonly string[];
  /** The read-only file tree; asked for once, when first used. */
  readonly tree: () => Inode;
  readonly entrypoint?: readonly string[];
  readonly cmd?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  /** `uid`, `uid:gid` or a name. */
  readonly user?: string;
  readonly stopSignal?: string;
  readonly exposedPorts?: readonly string[];
  readonly volumes?: readonly string[];
  readonly sizeBytes: number;
  /** Programs by the name that the tree's executables carry. */
  readonly programs?: Readonly<Record<string, Program>>;
  /** Only with these credentials. */
  readonly credentials?: { readonly username: string; readonly password: string };
}
