import { SysError } from '../errno.ts';
import type { Process } from '../kernel/process.ts';

/** A whole file as text, or undefined when it cannot be opened. */
export async function readText(p: Process, path: string): Promise<string | undefined> {
  try {
    const fd = p.open(path, { read: true });
    try {
      return (await p.readAll(fd)).toString();
    } finally {
      p.close(fd);
    }
  } catch (error) {
    if (error instanceof SysError) return undefined;
    throw error;
  }
}
