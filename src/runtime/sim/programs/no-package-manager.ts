import { baseName } from '../kernel/exec.ts';
import type { Process } from '../kernel/process.ts';

/** apt-get, apk, dpkg: there is nothing to install from in the simulation, and it says so. */
export async function noPackageManager(p: Process): Promise<number> {
  const name = baseName(p.argv[0] ?? '');
  await p.complain(`${name}: the simulated runtime cannot install packages; use an image that has what is needed\n`);
  return name === 'apk' ? 99 : 100;
}
