import { writeSync } from 'node:fs';
import { lmdbStore } from '../src/store/lmdb/lmdb-store.ts';

/**
 * `node crash-writer.js DIR ROUND WRITERS`: writes into the store in DIR until it is killed. Each transaction puts the same value into two
 * keys. Once a write is acknowledged a line `KEY REVISION VALUE` goes to stdout, synchronously.
 */
const [dir = '', round = '0', writers = '8'] = process.argv.slice(2);
const store = await lmdbStore(dir);
writeSync(1, `open ${(await store.stats()).revision}\n`);
const filler = 'x'.repeat(1800);

async function writer(id: number): Promise<never> {
  for (let n = 0; ; n++) {
    // Half of the writes make new keys, half overwrite.
    const key = n % 2 === 0 ? `/crash/${round}/${id}/${n}` : `/crash/shared/${id}/${n % 50}`;
    const value = `${round}.${id}.${n}`;
    const bytes = Buffer.from(`${value} ${filler}`);
    const { revision } = await store.commit({
      compares: [],
      operations: [
        { type: 'put', key, value: bytes },
        { type: 'put', key: `${key}/twin`, value: bytes },
      ],
    });
    writeSync(1, `${key} ${revision} ${value}\n`);
    if (id === 0 && n % 200 === 199) await store.compact(revision - 100);
  }
}
await Promise.all(Array.from({ length: Number(writers) }, (_, id) => writer(id)));
