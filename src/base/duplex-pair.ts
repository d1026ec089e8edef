import { Duplex } from 'node:stream';

/**
 * Two ends of a connection within the process: what is written to one is read from the other, with back-pressure; ending or
 * destroying one end is seen by the other as a peer's.
 */
export function duplexPair(): readonly [Duplex, Duplex] {
  const make = (peer: () => Duplex, resume: { waiting?: () => void }, peerResume: { waiting?: () => void }): Duplex =>
    new Duplex({
      allowHalfOpen: true,
      read() {
        const go = resume.waiting;
        delete resume.waiting;
        go?.();
      },
      write(chunk: Buffer, _encoding, done) {
        if (peer().destroyed) done(Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }));
        else if (peer().push(chunk)) done();
        else peerResume.waiting = done;
      },
      final(done) {
        if (!peer().destroyed) peer().push(null);
        done();
      },
      destroy(error, done) {
        const other = peer();
        // Someone who waits for the other side to read must not wait for ever.
        const go = resume.waiting;
        delete resume.waiting;
        go?.();
        setImmediate(() => {
          if (!other.destroyed) {
            if (!other.readableEnded) other.push(null);
            other.destroy();
          }
        });
        done(error);
      },
    });
  const aResume: { waiting?: () => void } = {};
  const bResume: { waiting?: () => void } = {};
  const a: Duplex = make(() => b, aResume, bResume);
  const b: Duplex = make(() => a, bResume, aResume);
  return [a, b];
}
