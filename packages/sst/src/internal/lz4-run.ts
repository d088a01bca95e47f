/** Writes what a length exceeds its four token bits by: bytes of 255, then one below. */
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
