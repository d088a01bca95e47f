import { BrokenPipeError } from './io.js'

/**
 * Runs `work`, then `close`, even if the work fails. Throws the first failure, because a failure to
 * close after it is a consequence. A broken pipe is no failure, so it doesn't hide a failure to
 * close.
 */
export async function closing<T>(
  close: () => Promise<unknown>,
  work: () => Promise<T>,
): Promise<T> {
  let result: T
  try {
    result = await work()
  } catch (error) {
    if (error instanceof BrokenPipeError) await close()
    else await close().catch(() => {})
    throw error
  }
  await close()
  return result
}
