import { cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))

const NAMES = [
  ...['env', 'vfs', 'bytes', 'object-store', 'block-cache', 'mvcc', 'sst', 'commit-log'],
  ...['manifest', 'compaction', 'engine'],
]

/** Where the script of threads is in those packages. */
const THREAD_SCRIPT = 'engine/dist/internal/files/worker-main.js'

/**
 * Installs the built packages below a directory, where a program finds `@firn/engine`, with another
 * script for their threads: `undefined` leaves it out, as bundlers do.
 */
export function copyPackages(directory: string, script: string | undefined): void {
  const modules = join(directory, 'node_modules')
  mkdirSync(join(modules, '@firn'), { recursive: true })
  for (const name of NAMES) {
    cpSync(join(PACKAGES, name), join(modules, '@firn', name), {
      recursive: true,
      filter: (path) => isWanted(path, name),
    })
  }
  for (const [name, of] of [
    ['fflate', 'sst'],
    ['lz4js', 'sst'],
  ] as const) {
    symlinkSync(realpathSync(join(PACKAGES, of, 'node_modules', name)), join(modules, name))
  }
  if (script !== undefined) writeFileSync(join(modules, '@firn', THREAD_SCRIPT), script)
}

function isWanted(path: string, name: string): boolean {
  const [top = 'dist'] = path.slice(join(PACKAGES, name).length + 1).split(/[\\/]/)
  if (top === 'package.json' || top === '') return true
  if (top !== 'dist' || /\.(map|ts)$/.test(path)) return false
  return path !== join(PACKAGES, THREAD_SCRIPT)
}
