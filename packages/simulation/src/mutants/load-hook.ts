import type { InitializeHook, LoadHook } from 'node:module'
import { type Patch, patched, urlOf } from './mutant.js'

// A module hook of Node's: it runs in its own thread, which `module.register` starts.

let patches: readonly Patch[] = []

/** Receives the patches to make. */
export const initialize: InitializeHook<readonly Patch[]> = (all) => {
  patches = all
}

/** Loads a module with its patches, and makes it record that it was patched. */
export const load: LoadHook = async (url, context, nextLoad) => {
  const loaded = await nextLoad(url, context)
  const own = patches.filter(({ module }) => urlOf(module) === url)
  if (own.length === 0) return loaded
  const code = patched(new TextDecoder().decode(loaded.source as Uint8Array), own)
  return {
    ...loaded,
    source: `${code}\n;(globalThis.firnPatched ??= new Set()).add(${JSON.stringify(url)});`,
  }
}
