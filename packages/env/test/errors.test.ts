import { describe, expect, test, vi } from 'vitest'
import * as env from '../src/index.js'

const { ClosedError, CorruptionError, FirnError, FormatVersionError, InvalidArgumentError } = env

describe('FirnError', () => {
  test('has a stable code, a retryable flag, a cause and the name of its class', () => {
    const cause = new Error('disk on fire')
    const error = new CorruptionError('block 7 of a.sst: checksum', { cause, retryable: true })
    expect(error).toBeInstanceOf(Error)
    expect(error).toBeInstanceOf(FirnError)
    expect(error.code).toBe('FIRN_CORRUPTION')
    expect(error.retryable).toBe(true)
    expect(error.cause).toBe(cause)
    expect(error.name).toBe('CorruptionError')
    expect(String(error)).toBe('CorruptionError: block 7 of a.sst: checksum')
  })

  test('is not retryable and has no cause unless told', () => {
    const error = new FirnError('FIRN_X', 'x')
    expect(error.retryable).toBe(false)
    expect('cause' in error).toBe(false)
  })

  test('has the codes that users were promised', () => {
    expect(new InvalidArgumentError('x').code).toBe('FIRN_INVALID_ARGUMENT')
    expect(new CorruptionError('x').code).toBe('FIRN_CORRUPTION')
    expect(new FormatVersionError('x').code).toBe('FIRN_FORMAT_VERSION')
    expect(new ClosedError('x').code).toBe('FIRN_CLOSED')
  })
})

describe('isFirnError', () => {
  test('knows the errors of another copy of the package, which instanceof does not', async () => {
    vi.resetModules()
    const copy = await import('../src/index.js')
    expect(copy.FirnError).not.toBe(FirnError)
    const error = new copy.ClosedError('closed')
    expect(error).not.toBeInstanceOf(FirnError)
    expect(env.isFirnError(error)).toBe(true)
    expect(env.isFirnError(error, 'FIRN_CLOSED')).toBe(true)
    expect(env.isFirnError(error, 'FIRN_CORRUPTION')).toBe(false)
  })

  test('takes nothing else for one', () => {
    for (const other of [
      undefined,
      null,
      'FIRN_CLOSED',
      7,
      {},
      new Error('x'),
      { code: 'FIRN_X' },
    ]) {
      expect(env.isFirnError(other)).toBe(false)
    }
  })
})
