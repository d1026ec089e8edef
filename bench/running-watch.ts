import { openConnection, type Target } from './raw-client.ts';

/** Watches the pods of `default` and resolves names as they become Running. */
export async function runningWatch(
  target: Target,
): Promise<{ wait(name: string): Promise<number>; count(): number; close(): void }> {
  const connection = await openConnection(target);
  const seen = new Map<string, number>();
  const waiting = new Map<string, (at: number) => void>();
  let text = '';
  connection.stream('/api/v1/namespaces/default/pods?watch=1&fieldSelector=status.phase%3DRunning', (chunk) => {
    text += chunk.toString('latin1');
    for (const match of text.matchAll(/"type":"ADDED"[\s\S]*?"name":"(p-\d+)"/g)) {
      const name = match[1] as string;
      seen.set(name, performance.now());
      waiting.get(name)?.(performance.now());
    }
    const cut = text.lastIndexOf('"type":"');
    text = text.slice(Math.max(0, cut));
  });
  return {
    wait: (name) =>
      new Promise((resolve) => {
        const at = seen.get(name);
        if (at !== undefined) resolve(at);
        else waiting.set(name, resolve);
      }),
    count: () => seen.size,
    close: () => connection.close(),
  };
}
