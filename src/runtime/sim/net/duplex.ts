import { Duplex } from 'node:stream';
import { SysError } from '../errno.ts';
import type { OpenFile } from '../kernel/open-file.ts';
import { releaseFile } from '../kernel/open-file.ts';
import { type Endpoint, type NetNamespace, socketPair, type TcpSocket } from './net-namespace.ts';

/** A Node stream over one end of a virtual connection. */
export function toDuplex(socket: TcpSocket): Duplex {
  socket.refs++;
  let undoRead: (() => void) | undefined;
  let released = false;
  const release = (): void => {
    if (released) return;
    released = true;
    undoRead?.();
    releaseFile(socket);
  };
  return new Duplex({
    allowHalfOpen: true,
    read(size) {
      const part = socket.tryRead(size || 65536);
      if (part === undefined) {
        undoRead?.();
        undoRead = socket.onReady('read', () => this._read(size));
      } else this.push(part);
    },
    write(chunk: Uint8Array, _encoding, done) {
      writeAll(socket, chunk, done);
    },
    final(done) {
      socket.shutdown();
      done();
    },
    destroy(error, done) {
      release();
      done(error);
    },
  });
}

/** Writes all of `data`, waiting for room; `done` gets the error when the other side is gone. */
export function writeAll(file: OpenFile, data: Uint8Array, done: (error?: Error | null) => void): void {
  let rest = data;
  const go = (): void => {
    try {
      for (;;) {
        if (rest.length === 0) {
          done();
          return;
        }
        const taken = file.tryWrite(rest);
        if (taken === 0) {
          file.onReady('write', go);
          return;
        }
        rest = rest.subarray(taken);
      }
    } catch (error) {
      done(error instanceof Error ? error : new SysError('EIO'));
    }
  };
  go();
}

/** A virtual connection whose far end is a Node stream. */
export function bridgeDuplex(outside: Duplex, from: NetNamespace, local: Endpoint, remote: Endpoint): TcpSocket {
  const [near, far] = socketPair({ ns: from, local }, { ns: undefined, local: remote });
  const inner = toDuplex(far);
  const close = (): void => {
    inner.destroy();
    outside.destroy();
  };
  inner.on('error', close);
  outside.on('error', close);
  inner.on('close', () => outside.end());
  outside.on('close', () => {
    if (!inner.writableEnded) inner.end();
  });
  inner.pipe(outside);
  outside.pipe(inner);
  return near;
}
