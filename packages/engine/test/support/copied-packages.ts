import { cpSync, mkdirSync, readFileSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const PACKAGES = fileURLToPath(new URL('../../../', import.meta.url))

/** Where the script of threads is in those packages. */
const THREAD_SCRIPT = 'engine/dist/internal/files/worker-main.js'

/**
 * Installs the built packages below a directory, where a program finds `@firn/engine`, with another
 * script for their threads: `undefined` leaves it out, as bundlers do.
 */
export function copyPackages(directory: string, script: string | undefined): void {
  const modules = join(directory, 'node_modules')
  mkdirSync(join(modules, '@firn'), { recursive: true })
  const { own, others } = dependenciesOf('engine')
  for (const name of own) {
    cpSync(join(PACKAGES, name), join(modules, '@firn', name), {
      recursive: true,
      filter: (path) => isWanted(path, name),
    })
  }
  for (const [name, dependent] of others) {
    symlinkSync(realpathSync(join(PACKAGES, dependent, 'node_modules', name)), join(modules, name))
  }
  if (script !== undefined) writeFileSync(join(modules, '@firn', THREAD_SCRIPT), script)
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

function isWanted(path: string, name: string): boolean {
  const [top = 'dist'] = path.slice(join(PACKAGES, name).length + 1).split(/[\\/]/)
  if (top === 'package.json' || top === '') return true
  if (top !== 'dist' || /\.(map|ts)$/.test(path)) return false
  return path !== join(PACKAGES, THREAD_SCRIPT)
}
