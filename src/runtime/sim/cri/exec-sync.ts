import type { Clock } from '../../../base/clock.ts';
import { CriError } from '../../cri.ts';
import type { Container } from './container.ts';
import { execSession } from './streams.ts';

/** containerd's limit of what is kept of each stream (internal/cri/server: container_execsync.go). */
const kept = 16 << 20;

/** Runs a command to its end. DeadlineExceeded when it takes longer than `timeoutSeconds` (0 = no limit); it is killed then. */
export async function execSync(
  container: Container,
  command: readonly string[],
  timeoutSeconds: number,
  id: string,
  clock: Clock,
): Promise<{ readonly stdout: Buffer; readonly stderr: Buffer; readonly exitCode: number }> {
  const session = execSession(container, command, { stdin: false, stdout: true, stderr: true, tty: false }, id);
  const collect = (stream: typeof session.stdout): { readonly parts: Buffer[]; readonly ended: Promise<void> } => {
    const parts: Buffer[] = [];
    let size = 0;
    const ended = new Promise<void>((resolve) => {
      stream?.on('data', (chunk: Buffer) => {
        if (size < kept) parts.push(chunk.subarray(0, kept - size));
        size += chunk.length;
      });
      stream?.once('close', resolve);
    });
    return { parts, ended };
  };
  const stdout = collect(session.stdout);
  const stderr = collect(session.stderr);
  let late = false;
  const timer =
    timeoutSeconds > 0
      ? clock.after(
          timeoutSeconds * 1000,
          () => {
            late = true;
            session.close();
          },
          { background: true },
        )
      : undefined;
  const { exitCode } = await session.exit;
  timer?.cancel();
  if (late)
    throw new CriError(
      'DeadlineExceeded',
      `failed to exec in container: timeout ${timeoutSeconds}s exceeded: context deadline exceeded`,
    );
  await Promise.all([stdout.ended, stderr.ended]);
  return { stdout: Buffer.concat(stdout.parts), stderr: Buffer.concat(stderr.parts), exitCode };
}
