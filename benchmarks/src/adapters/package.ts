import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The installed package. Peers are optional: the compiler doesn't see them. */
export async function load<T>(name: string): Promise<T> {
  return (await import(name)) as T
}

/** The version of an installed package, read from its own package.json. */
export function versionOf(name: string): string {
  let directory = dirname(fileURLToPath(import.meta.url))
  while (directory !== dirname(directory)) {
    const path = join(directory, 'node_modules', name, 'package.json')
    if (existsSync(path)) {
      return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version
    }
    directory = dirname(directory)
  }
  return 'unknown'
}
