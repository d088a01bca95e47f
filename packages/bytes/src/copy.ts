/**
 * A copy of `bytes[start, end)` in a buffer of its own, of exactly that length. Not `slice`: a
 * Node.js `Buffer`, which may come wherever a `Uint8Array` does, returns a view from that.
 */
export function copyBytes(
  bytes: Uint8Array,
  start = 0,
  end: number = bytes.length,
): Uint8Array<ArrayBuffer> {
  return new Uint8Array(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end))
}
