import { expect } from 'vitest'
import type { ObjectInfo } from '../../object-store.js'

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}

/** Bytes that look random, differ between seeds, and don't repeat within one seed. */
export function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = (seed + 1) * 0x9e3779b1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0
    bytes[i] = state >>> 24
  }
  return bytes
}

/** Like `expect(a).toEqual(b)`, but fast for megabytes. */
export function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  expect(actual.length).toBe(expected.length)
  let at = 0
  while (at < expected.length && actual[at] === expected[at]) at++
  expect(at, 'index of the first byte that differs').toBe(expected.length)
}

/** Expects a rejection with an error of this code. */
export async function expectCode(promise: Promise<unknown>, code: string): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error, `an error with code ${code}`).toMatchObject({ code })
}

export async function collect(list: AsyncIterable<ObjectInfo>): Promise<ObjectInfo[]> {
  const infos: ObjectInfo[] = []
  for await (const info of list) infos.push(info)
  return infos
}

export async function keysOf(list: AsyncIterable<ObjectInfo>): Promise<string[]> {
  return (await collect(list)).map((info) => info.key)
}
