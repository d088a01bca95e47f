import { ObjectStoreError } from '../../errors.js'

/**
 * The bytes of a reply's body from `start` to `end`, and how long the body is, as far as it was
 * read: reading stops at `end`. What comes before `start` is dropped as it arrives.
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
    // One more look tells a body that is longer than it should be from one that ends here.
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

/** Lets go of a reply whose body nobody wants. */
export async function discardBody(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => {})
}

export function badReply(key: string, what: string): ObjectStoreError {
  return new ObjectStoreError(`the server's reply for object '${key}' ${what}`, {
    reason: 'bad-reply',
    retryable: true,
  })
}
