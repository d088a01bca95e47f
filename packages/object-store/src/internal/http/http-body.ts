import { ObjectStoreError } from '../../errors.js'

/**
 * Reads a reply's body from `start` to `end`, and returns these bytes and how many bytes were read.
 * Drops bytes before `start` as they arrive. Stops at `end`, but detects whether the body is
 * longer.
 */
export async function readBody(
  response: Response,
  start: number,
  end: number,
): Promise<{ bytes: Uint8Array; read: number }> {
  const known = Number.isFinite(end)
  const chunks: Uint8Array[] = []
  let kept = 0
  let read = 0
  const reader = response.body?.getReader()
  while (reader !== undefined && read < end) {
    const { done, value } = await reader.read()
    if (done) break
    const chunk = value.subarray(Math.max(0, start - read), Math.min(value.length, end - read))
    read += value.length
    if (chunk.length === 0) continue
    kept += chunk.length
    chunks.push(chunk)
  }
  if (reader !== undefined && known && read >= end) {
    // One more read shows whether the body is longer than it should be.
    const { done, value } = await reader.read()
    if (!done) {
      read += value.length
      await reader.cancel().catch(() => {})
    }
  }
  const bytes = new Uint8Array(kept)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return { bytes, read }
}

/** Releases a reply without reading its body. */
export async function discardBody(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {})
}

export function badReply(key: string, what: string): ObjectStoreError {
  return new ObjectStoreError(`the server's reply for object '${key}' ${what}`, {
    reason: 'bad-reply',
    retryable: true,
  })
}
