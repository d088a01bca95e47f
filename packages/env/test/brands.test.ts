import { createContext, runInContext } from 'node:vm'
import { expect, test } from 'vitest'
import { isDate, isError, isUint8Array, messageOf } from '../src/index.js'

const context = createContext({ structuredClone })
const foreign = (code: string): unknown => runInContext(code, context)

test('a Uint8Array of another realm is one, and nothing else is', () => {
  expect(foreign('new Uint8Array(3)')).not.toBeInstanceOf(Uint8Array)
  for (const value of [
    new Uint8Array(3),
    Buffer.from('abc'),
    new (class extends Uint8Array {})(3),
    foreign('new Uint8Array(3)'),
    foreign('new (class Mine extends Uint8Array {})(3)'),
    new Uint8Array(new SharedArrayBuffer(3)),
  ]) {
    expect(isUint8Array(value)).toBe(true)
  }
  for (const value of [
    undefined,
    null,
    'abc',
    3,
    [1, 2, 3],
    new ArrayBuffer(3),
    new DataView(new ArrayBuffer(3)),
    new Uint8ClampedArray(3),
    new Int8Array(3),
    new Uint16Array(3),
    foreign('new Int8Array(3)'),
    { [Symbol.toStringTag]: 'Uint8Array', length: 3 },
  ]) {
    expect(isUint8Array(value)).toBe(false)
  }
})

test('a Date of another realm is one, and what only says so is not', () => {
  expect(foreign('new Date(5)')).not.toBeInstanceOf(Date)
  expect(isDate(foreign('new Date(5)'))).toBe(true)
  expect(isDate(new Date(Number.NaN))).toBe(true)
  expect(isDate({ [Symbol.toStringTag]: 'Date' })).toBe(false)
  expect(isDate({ getTime: () => 5 })).toBe(false)
  expect(isDate(5)).toBe(false)
  expect(isDate(undefined)).toBe(false)
})

test('an error of another realm is one, with its message', () => {
  expect(foreign('new TypeError("no")')).not.toBeInstanceOf(Error)
  expect(isError(foreign('new TypeError("no")'))).toBe(true)
  expect(isError(new DOMException('no'))).toBe(true)
  expect(isError({ message: 'no' })).toBe(false)
  expect(messageOf(foreign('new TypeError("no")'))).toBe('no')
  expect(messageOf('no')).toBe('no')
  expect(messageOf(undefined)).toBe('undefined')
})
