/** Writes the part of a length beyond the token's four bits: bytes of 255, then one below 255. */
export function putRun(target: Uint8Array, at: number, length: number): number {
  let out = at
  let rest = length
  while (rest >= 255) {
    target[out++] = 255
    rest -= 255
  }
  target[out++] = rest
  return out
}
