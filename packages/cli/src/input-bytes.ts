import { UsageError } from './errors.js'
import type { Input } from './io.js'

// The engine's largest value.
const MAX_INPUT_BYTES = 256 * 1024 * 1024

/** Reads all of stdin. Throws `UsageError` if it is larger than a value may be. */
export async function readAll(input: Input): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MAX_INPUT_BYTES) {
      throw new UsageError(
        `the value on stdin is too large; a value may have up to ${MAX_INPUT_BYTES} bytes`,
      )
    }
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}
