import { fileURLToPath } from 'node:url'

/** Where results are kept, one JSON file each. */
export const RESULTS: string = fileURLToPath(new URL('../../results/', import.meta.url))

export const README: string = fileURLToPath(new URL('../../README.md', import.meta.url))

export function positiveInteger(text: string, option: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new Error(`--${option} takes a positive whole number, not ${text}`)
  }
  return value
}

export function list(text: string): string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '')
}
