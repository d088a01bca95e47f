import { isFirnError } from './errors.js'

/**
 * Returns what `read` fetches and decodes. Damage may happen on the way, so data that can't be
 * decoded is fetched once more. Throws the second error, except that a newer format is believed
 * only if both reads say so: one digit is enough to make it.
 */
export async function readUndamaged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (first) {
    const ofTheFuture = isFirnError(first, 'FIRN_FORMAT_VERSION')
    if (!ofTheFuture && !isFirnError(first, 'FIRN_CORRUPTION')) throw first
    try {
      return await read()
    } catch (second) {
      throw isFirnError(second, 'FIRN_FORMAT_VERSION') && !ofTheFuture ? first : second
    }
  }
}
