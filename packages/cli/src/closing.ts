import { BrokenPipeError } from './io.js'

/**
 * Works, then closes, whatever comes of the work. The first failure is thrown: what closing has to
 * say behind it is a consequence. A reader of the output that has gone is no failure, and hides
 * none.
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
