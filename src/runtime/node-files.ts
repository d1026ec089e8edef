/**
 * The node's files as the kubelet uses them: volumes, /etc/hosts of pods, termination messages, container logs. The real
 * node has a disk; the simulated one a virtual tree that its containers mount. Paths are absolute, POSIX style. Errors
 * carry Node's `code` (ENOENT, EEXIST, ENOTDIR, …) in both.
 */
export interface NodeFileStat {
  readonly type: 'file' | 'directory' | 'symlink' | 'socket' | 'fifo' | 'char' | 'block';
  readonly size: number;
  /** Permission bits, with setuid, setgid and sticky. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Epoch milliseconds. */
  readonly mtime: number;
  /** Tells a rotated file from its successor. */
  readonly inode: number;
}

export interface NodeFiles {
  /** Does not follow a last symlink when `follow` is false (default true). Undefined when absent. */
  stat(path: string, follow?: boolean): Promise<NodeFileStat | undefined>;
  read(path: string): Promise<Buffer>;
  /** Up to `length` bytes from `offset`; fewer at the end of the file. */
  readAt(path: string, offset: number, length: number): Promise<Buffer>;
  /** Creates or replaces the content. */
  write(path: string, data: Uint8Array | string, mode?: number): Promise<void>;
  append(path: string, data: Uint8Array | string): Promise<void>;
  /** With parents; existing is fine. */
  mkdir(path: string, mode?: number): Promise<void>;
  list(path: string): Promise<readonly string[]>;
  symlink(target: string, path: string): Promise<void>;
  readlink(path: string): Promise<string>;
  /** Atomic; replaces what is there. */
  rename(from: string, to: string): Promise<void>;
  /** Whole trees; absent is fine. Never crosses into another mount. */
  remove(path: string): Promise<void>;
  chmod(path: string, mode: number): Promise<void>;
  chown(path: string, uid: number, gid: number): Promise<void>;
  /** Calls back after the file has grown, been replaced or removed; of a directory on a real disk, after its entries have changed. Returns a function that stops it. */
  watch(path: string, onChange: () => void): () => void;
  /** A memory file system of at most `sizeBytes` (0 = no limit) at an existing directory. */
  mountMemory(path: string, sizeBytes: number): Promise<void>;
  /** Undoes `mountMemory` and any other mount below the path; absent is fine. */
  unmount(path: string): Promise<void>;
  /** Bytes and inodes under a path. */
  usage(path: string): Promise<{ readonly bytes: number; readonly inodes: number }>;
  /** Of the file system that holds the path. */
  capacity(path: string): Promise<{
    readonly totalBytes: number;
    readonly freeBytes: number;
    readonly totalInodes: number;
    readonly freeInodes: number;
  }>;
}
