// A shrink is worth a second or two, not more: people read the result.
const MAX_TRIES = 3000

/**
 * Returns a smaller input that still fails: cuts out parts while that works, from half the input
 * down to single bytes, then sets bytes to zero.
 */
export async function shrink(
  bytes: Uint8Array,
  fails: (bytes: Uint8Array) => Promise<boolean>,
  seal: ((bytes: Uint8Array) => void) | undefined,
): Promise<Uint8Array> {
  let best = bytes
  let tries = 0
  const take = async (candidate: Uint8Array): Promise<boolean> => {
    // With its checksums as the change left them, then with correct ones.
    for (const sealed of seal === undefined ? [false] : [false, true]) {
      if (++tries > MAX_TRIES) return false
      const copy = candidate.slice()
      if (sealed) seal?.(copy)
      if (await fails(copy)) {
        best = copy
        return true
      }
    }
    return false
  }
  for (let size = Math.ceil(bytes.length / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let at = best.length - size; at >= 0 && tries < MAX_TRIES; at -= size) {
      const shorter = new Uint8Array(best.length - size)
      shorter.set(best.subarray(0, at))
      shorter.set(best.subarray(at + size), at)
      await take(shorter)
    }
  }
  for (let at = 0; at < best.length && tries < MAX_TRIES; at++) {
    if (best[at] === 0) continue
    const plainer = best.slice()
    plainer[at] = 0
    await take(plainer)
  }
  return best
}
