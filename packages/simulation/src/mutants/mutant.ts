/** A bug that is planted into Firn's built code while a process loads it. */
export interface Mutant {
  /** Unique. */
  name: string
  /** A description of the program's fault. */
  bug: string
  patches: readonly Patch[]
}

/** A text of a module, and its replacement. */
export interface Patch {
  /** A module of a package of this workspace: 'engine/internal/commit/committer'. */
  module: string
  /** The text to replace, which occurs exactly once, whatever its white space. */
  from: string
  to: string
}

/** Returns where a module's built code is, relative to this module or its built form. */
export function urlOf(module: string): string {
  const [name, ...path] = module.split('/')
  return new URL(`../../../${name}/dist/${path.join('/')}.js`, import.meta.url).href
}

/** Returns the code with its patches. Throws unless each of their texts occurs exactly once. */
export function patched(code: string, patches: readonly Patch[]): string {
  return patches.reduce(withPatch, code)
}

function withPatch(code: string, { module, from, to }: Patch): string {
  const words = from.trim().split(/\s+/)
  const pattern = new RegExp(words.map(escaped).join('\\s+'), 'g')
  const found = code.match(pattern)?.length ?? 0
  if (found !== 1) throw new Error(`${module} has ${found} times, not once: ${from}`)
  return code.replace(pattern, () => to)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
