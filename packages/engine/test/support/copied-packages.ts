import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))

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
  const { own, others } = dependenciesOf('engine')
  for (const name of own) {
    cpSync(join(PACKAGES, name), join(modules, '@firn', name), {
      recursive: true,
      filter: (path) => isWanted(path, name, scripts),
    })
  }
  for (const [name, dependent] of others) {
    symlinkSync(realpathSync(join(PACKAGES, dependent, 'node_modules', name)), join(modules, name))
  }
  for (const thread of ['compaction', 'flush'] as const) {
    const script = scripts[thread]
    if (script !== undefined) writeFileSync(join(modules, '@firn', THREAD_SCRIPTS[thread]), script)
  }
}

/** A package of the workspace with all that it depends on; other packages with a dependent. */
function dependenciesOf(
  name: string,
  own: Set<string> = new Set(),
  others: Map<string, string> = new Map(),
): { own: Set<string>; others: Map<string, string> } {
  own.add(name)
  const manifest = readFileSync(join(PACKAGES, name, 'package.json'), 'utf8')
  for (const dependency of Object.keys(JSON.parse(manifest).dependencies ?? {})) {
    const inWorkspace = /^@firn\/(.+)$/.exec(dependency)?.[1]
    if (inWorkspace === undefined) others.set(dependency, name)
    else if (!own.has(inWorkspace)) dependenciesOf(inWorkspace, own, others)
  }
  return { own, others }
}

function isWanted(path: string, name: string, scripts: object): boolean {
  const [top = 'dist'] = path.slice(join(PACKAGES, name).length + 1).split(/[\\/]/)
  if (top === 'package.json' || top === '') return true
  if (top !== 'dist' || /\.(map|ts)$/.test(path)) return false
  const left = Object.entries(THREAD_SCRIPTS).filter(([thread]) => thread in scripts)
  return !left.some(([, script]) => path === join(PACKAGES, script))
}
