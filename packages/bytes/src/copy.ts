/**
 * Copies `bytes[start, end)` into a new buffer of exactly that length. Unlike `slice`, it also
 * copies if `bytes` is a Node.js `Buffer`, whose `slice` returns a view.
 */
export function copyBytes(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
}
