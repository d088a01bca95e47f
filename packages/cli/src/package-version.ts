import { readFileSync } from 'node:fs'

/** Reads the version from this package's package.json, which lies beside `dist` and `src`. */
export function packageVersion(): string {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
