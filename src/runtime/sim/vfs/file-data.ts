/**
 * The bytes of a file, in pages. Pages of zeros take no memory, so that a gigabyte written by `dd if=/dev/zero` costs
 * nothing here while it counts in full towards the sizes that Kubernetes limits.
 */
export interface FileData {
  size: number;
  pages: (Uint8Array | undefined)[];
}

const pageSize = 65536;
const zeros = new Uint8Array(pageSize);
const empty = new Uint8Array(0);

const isZero = (bytes: Uint8Array): boolean =>
  bytes.length === 0 ||
  (bytes[0] === 0 && bytes[bytes.length - 1] === 0 && Buffer.compare(bytes, zeros.subarray(0, bytes.length)) === 0);

/** File data that holds a copy of `bytes`. */
export function fileData(bytes: Uint8Array = empty): FileData {
  const data: FileData = { size: 0, pages: [] };
  if (bytes.length > 0) writeData(data, 0, bytes);
  return data;
}

/** A copy that shares nothing. */
export function copyData(data: FileData): FileData {
  return { size: data.size, pages: data.pages.map((page) => page?.slice()) };
}

/** Up to `length` bytes at `offset`, at most one megabyte at a time; empty at the end. The result is not to be written to. */
export function readData(data: FileData, offset: number, length: number): Uint8Array {
  const end = Math.min(data.size, offset + Math.min(length, 1 << 20));
  if (end <= offset) return empty;
  const first = Math.floor(offset / pageSize);
  if (first === Math.floor((end - 1) / pageSize)) return slicePage(data.pages[first], offset % pageSize, end - offset);
  const out = new Uint8Array(end - offset);
  let at = offset;
  while (at < end) {
    const within = at % pageSize;
    const count = Math.min(pageSize - within, end - at);
    const page = data.pages[Math.floor(at / pageSize)];
    if (page) out.set(page.subarray(within, Math.min(within + count, page.length)), at - offset);
    at += count;
  }
  return out;
}

function slicePage(page: Uint8Array | undefined, start: number, length: number): Uint8Array {
  if (!page) return zeros.subarray(0, length);
  if (page.length >= start + length) return page.slice(start, start + length);
  const out = new Uint8Array(length);
  if (start < page.length) out.set(page.subarray(start));
  return out;
}

/** Writes at `offset`, growing the file. */
export function writeData(data: FileData, offset: number, bytes: Uint8Array): void {
  let at = offset;
  let from = 0;
  while (from < bytes.length) {
    const index = Math.floor(at / pageSize);
    const within = at % pageSize;
    const count = Math.min(pageSize - within, bytes.length - from);
    const part = bytes.subarray(from, from + count);
    const page = data.pages[index];
    if (page || !isZero(part)) room(data, index, within + count).set(part, within);
    at += count;
    from += count;
  }
  data.size = Math.max(data.size, offset + bytes.length);
}

/** A page with room for `needed` bytes: small pages grow by doubling. */
function room(data: FileData, index: number, needed: number): Uint8Array {
  const page = data.pages[index];
  if (page && page.length >= needed) return page;
  while (data.pages.length < index) data.pages.push(undefined);
  const grown = new Uint8Array(Math.min(pageSize, Math.max(needed, page ? page.length * 2 : 0)));
  if (page) grown.set(page);
  data.pages[index] = grown;
  return grown;
}

/** Cuts or extends with zeros. */
export function truncateData(data: FileData, size: number): void {
  if (size < data.size) {
    const keep = Math.ceil(size / pageSize);
    data.pages.length = Math.min(data.pages.length, keep);
    const last = data.pages[keep - 1];
    const within = size % pageSize;
    if (last && within > 0) last.fill(0, within);
  }
  data.size = size;
}
