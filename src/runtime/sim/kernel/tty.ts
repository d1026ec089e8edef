import type { OpenFile } from './open-file.ts';
import { byteQueue } from './pipe.ts';
import type { Signal } from './signals.ts';

/** A terminal: the master side is the session's streams, the slave side what processes have open. */
export interface Tty {
  rows: number;
  columns: number;
  /** Line editing (ICANON), echo (ECHO), signals from keys (ISIG), CR to NL (ICRNL), NL to CR NL (OPOST). */
  canonical: boolean;
  echo: boolean;
  signals: boolean;
  mapInput: boolean;
  mapOutput: boolean;
  /** What the user types. */
  input(bytes: Uint8Array): void;
  /** The session is gone: readers see the end, processes get HUP. */
  hangUp(): void;
  resize(columns: number, rows: number): void;
  /** Reads what is shown. */
  tryRead(max: number): Uint8Array | null | undefined;
  onReady(wake: () => void): () => void;
  /** No process has it open any more. */
  finish(): void;
  open(): OpenFile;
  /** Sends a signal to the processes of the terminal. */
  onSignal?: (signal: Signal) => void;
}

const capacity = 65536;
const keys: Readonly<Record<number, Signal>> = { 3: 'INT', 28: 'QUIT' };

/** A terminal of 80 by 24. `keepOutput` keeps accepting output when nobody reads it, dropping it. */
export function createTty(): Tty {
  const slave = byteQueue(capacity);
  const master = byteQueue(1 << 20);
  let line: number[] = [];
  let pendingEof = 0;
  const readers = new Set<() => void>();
  const wakeReaders = (): void => {
    const all = [...readers];
    readers.clear();
    for (const wake of all) wake();
  };
  const show = (bytes: Uint8Array): number => {
    if (master.abandoned) return bytes.length;
    let text = bytes;
    if (tty.mapOutput && bytes.includes(10)) {
      const out: number[] = [];
      for (const byte of bytes) {
        if (byte === 10) out.push(13);
        out.push(byte);
      }
      text = Uint8Array.from(out);
    }
    if (text.length > (1 << 20) - master.size) return 0;
    return master.ended ? bytes.length : master.tryWrite(text) > 0 || text.length === 0 ? bytes.length : 0;
  };
  const echo = (text: string): void => {
    if (tty.echo) show(Buffer.from(text));
  };
  const push = (bytes: readonly number[]): void => {
    const room = capacity - slave.size;
    if (!slave.ended && bytes.length > 0 && room > 0) slave.tryWrite(Uint8Array.from(bytes.slice(0, room)));
  };
  const erase = (count: number): void => {
    const cut = Math.min(count, line.length);
    line.splice(line.length - cut, cut);
    echo('\b \b'.repeat(cut));
  };
  const key = (raw: number): void => {
    const byte = tty.mapInput && raw === 13 ? 10 : raw;
    const signal = keys[byte];
    if (tty.signals && signal) {
      if (tty.echo) show(Buffer.from(byte === 3 ? '^C' : '^\\'));
      line = [];
      tty.onSignal?.(signal);
      return;
    }
    if (!tty.canonical) {
      push([byte]);
      if (tty.echo) show(Uint8Array.of(byte));
      return;
    }
    if (byte === 4) {
      if (line.length > 0) push(line);
      else {
        pendingEof++;
        wakeReaders();
      }
      line = [];
    } else if (byte === 127 || byte === 8) erase(1);
    else if (byte === 21) erase(line.length);
    else if (byte === 23) {
      const words = Buffer.from(line).toString('latin1');
      erase(words.length - words.replace(/\S*\s*$/, '').length);
    } else if (byte === 10) {
      echo('\n');
      push([...line, 10]);
      line = [];
    } else if (line.length < 4095) {
      line.push(byte);
      if (byte >= 32 || byte === 9) show(tty.echo ? Uint8Array.of(byte) : new Uint8Array(0));
      else echo(`^${String.fromCharCode(byte + 64)}`);
    }
  };
  const tty: Tty = {
    rows: 24,
    columns: 80,
    canonical: true,
    echo: true,
    signals: true,
    mapInput: true,
    mapOutput: true,
    input(bytes) {
      for (const byte of bytes) key(byte);
    },
    hangUp() {
      if (!slave.ended) slave.end();
      master.abandon();
      wakeReaders();
      tty.onSignal?.('HUP');
    },
    resize(columns, rows) {
      if (columns === tty.columns && rows === tty.rows) return;
      tty.columns = columns;
      tty.rows = rows;
      tty.onSignal?.('WINCH');
    },
    tryRead: (max) => master.tryRead(max),
    onReady: (wake) => master.onReady('read', wake),
    finish: () => {
      if (!master.ended) master.end();
    },
    open() {
      return {
        kind: 'tty',
        refs: 0,
        readable: true,
        writable: true,
        path: '/dev/pts/0',
        tty,
        offset: 0,
        tryRead(max) {
          const part = slave.tryRead(max);
          if (part !== undefined || pendingEof === 0) return part;
          pendingEof--;
          return null;
        },
        tryWrite: show,
        onReady(kind, wake) {
          if (kind === 'write') return master.onReady('write', wake);
          readers.add(wake);
          const undo = slave.onReady('read', wake);
          return () => {
            readers.delete(wake);
            undo();
          };
        },
        released: () => undefined,
      };
    },
  };
  return tty;
}
