import { UsageError } from './errors.js'
import type { Input } from './io.js'

// The engine's largest value.
const MAX_INPUT_BYTES = 256 * 1024 * 1024

/** Everything that stdin gives. Throws `UsageError` for more than a value may have. */
export async function readAll(input: Input): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of input) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MAX_INPUT_BYTES) {
      throw new UsageError(`a value may have up to ${MAX_INPUT_BYTES} bytes; stdin gives more`)
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
