import { isFirnError } from './errors.js'

/**
 * What `read` fetches and decodes. Damage may have come on the way, so what can't be decoded is
 * fetched once more. Throws as the second time, except that a format of the future is believed only
 * where both say so: one digit makes it.
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
