import { cpSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))

const NAMES = [
  ...['env', 'vfs', 'bytes', 'object-store', 'block-cache', 'sst', 'mvcc', 'manifest'],
  ...['compaction', 'engine'],
]

/** Where the scripts of threads are in those packages. */
const THREAD_SCRIPTS: { compaction: string; flush: string } = {
  compaction: 'compaction/dist/internal/worker-main.js',
  flush: 'engine/dist/internal/files/flush-thread-main.js',
}

/**
 * Installs the built packages below a directory, where a program finds `@firn/engine`, with other
 * scripts for their threads: `undefined` leaves one out, as bundlers do.
 */
export function copyPackages(
  directory: string,
  scripts: { compaction?: string | undefined; flush?: string | undefined },
): void {
  const modules = join(directory, 'node_modules')
  mkdirSync(join(modules, '@firn'), { recursive: true })
  for (const name of NAMES) {
    cpSync(join(PACKAGES, name), join(modules, '@firn', name), {
      recursive: true,
      filter: (path) => isWanted(path, name, scripts),
    })
  }
  for (const [name, of] of [
    ['fflate', 'sst'],
    ['lz4js', 'sst'],
  ] as const) {
    symlinkSync(realpathSync(join(PACKAGES, of, 'node_modules', name)), join(modules, name))
  }
  for (const thread of ['compaction', 'flush'] as const) {
    const script = scripts[thread]
    if (script !== undefined) writeFileSync(join(modules, '@firn', THREAD_SCRIPTS[thread]), script)
  }
}

function isWanted(path: string, name: string, scripts: object): boolean {
  const [top = 'dist'] = path.slice(join(PACKAGES, name).length + 1).split(/[\\/]/)
  if (top === 'package.json' || top === '') return true
  if (top !== 'dist' || /\.(map|ts)$/.test(path)) return false
  const left = Object.entries(THREAD_SCRIPTS).filter(([thread]) => thread in scripts)
  return !left.some(([, script]) => path === join(PACKAGES, script))
}
