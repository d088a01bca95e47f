// Runs all of Firn in a realm of its own, as jest does with the code that it tests: the globals are
// the context's, and the modules of Node.js, their errors and buffers, are of the realm outside.
// Needs --experimental-vm-modules. Prints what went wrong, or "done".
import { rmSync } from 'node:fs'
import { mkdtemp, readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import vm from 'node:vm'

// What jest's environment for Node.js lends to its realm: everything that isn't of the language.
const lent = {}
for (const name of Object.getOwnPropertyNames(globalThis)) {
  const isOfTheLanguage = vm.runInNewContext(`typeof ${name}`) !== 'undefined'
  if (!isOfTheLanguage && name !== 'navigator') lent[name] = globalThis[name]
}
const context = vm.createContext(lent)
const modules = new Map()

async function load(url) {
  let module = modules.get(url)
  if (module === undefined) {
    module = url.startsWith('node:') ? await core(url) : await source(url)
    modules.set(url, module)
  }
  return module
}

async function core(url) {
  const exported = await import(url)
  const names = Object.keys(exported)
  return new vm.SyntheticModule(
    names,
    function () {
      for (const name of names) this.setExport(name, exported[name])
    },
    { context, identifier: url },
  )
}

async function source(url) {
  const code = await readFile(fileURLToPath(url), 'utf8')
  return new vm.SourceTextModule(code, {
    context,
    identifier: url,
    initializeImportMeta: (meta) => {
      meta.url = url
    },
    importModuleDynamically: (specifier, module) =>
      evaluated(resolve(specifier, module.identifier)),
  })
}

function resolve(specifier, from) {
  if (specifier.startsWith('node:')) return specifier
  if (specifier.startsWith('.')) return new URL(specifier, from).href
  const path = createRequire(from).resolve(specifier)
  return path.startsWith('/') ? pathToFileURL(path).href : `node:${path}`
}

const linking = new Map()
function link(specifier, module) {
  const url = resolve(specifier, module.identifier)
  if (!linking.has(url)) linking.set(url, load(url))
  return linking.get(url)
}

async function evaluated(url) {
  const module = await load(url)
  if (module.status === 'unlinked') await module.link(link)
  if (module.status === 'linked') await module.evaluate()
  return module
}

const { open } = (await evaluated(new URL('../../dist/index.js', import.meta.url).href)).namespace
const directory = await mkdtemp(join(tmpdir(), 'firn-realm-'))
function check(condition, what) {
  if (!condition) throw new Error(what)
}

try {
  for (const location of [`file:${directory}/a`, `file:${directory}/b?log=objects`, 'memory:']) {
    const db = await open(location, { memtableBytes: 64 * 1024, tuning: { blockBytes: 512 } })
    check(!(new Date() instanceof vm.runInContext('Date', context)), 'one realm')
    // Of this realm, which to Firn is another one.
    const raw = db.table('raw')
    const when = new Date()
    const puts = Array.from({ length: 2000 }, (_, i) =>
      raw.put(Buffer.from(`k${i}`), new Uint8Array(100).fill(i), { durability: 'buffered' }),
    )
    await Promise.all(puts)
    const tuples = db.table('tuples', { keys: 'tuple', values: 'json' })
    await tuples.put([when, Uint8Array.of(1), ['x']], { a: 1 })
    // Long text goes through TextEncoder, which is of the realm outside.
    const long = 'é'.repeat(5000)
    await db.table('text', { keys: 'utf8', values: 'utf8' }).put('k', long)
    const mine = db.table('mine', {
      keys: {
        name: 'mine',
        encode: (value) => Buffer.from(value),
        decode: (bytes) => Buffer.from(bytes).toString(),
      },
    })
    await mine.put('k', Buffer.from('v'))
    await db.batch().put(raw, Buffer.from('batch'), new Uint8Array(200_000)).write()
    await db.transaction(async (tx) => {
      const inside = tx.table('raw')
      const found = await inside.get(Buffer.from('k5'))
      await inside.put(Buffer.from('k5'), Buffer.from([found[0] + 1]))
    })
    await db.flush()
    await db.compact()
    await db.evict()
    check((await raw.get(Buffer.from('k5')))[0] === 6, 'a get')
    check(
      (await raw.get(Buffer.from('k7'), { at: new Date(Date.now() + 60_000) }))[0] === 7,
      'at a Date',
    )
    check((await raw.getMany([Buffer.from('k1'), new Uint8Array(1)])).length === 2, 'getMany')
    check((await raw.scan({ prefix: Buffer.from('k19') }).toArray()).length === 111, 'a scan')
    check((await tuples.get([when, Uint8Array.of(1), ['x']])).a === 1, 'a tuple')
    check((await tuples.scan({ prefix: [when] }).toArray()).length === 1, 'a prefix')
    check((await db.table('text', { keys: 'utf8', values: 'utf8' }).get('k')) === long, 'text')
    check(
      (await mine.scan({ gte: 'k', signal: new AbortController().signal }).toArray()).length === 1,
      'own',
    )
    const aborted = await raw
      .get(Buffer.from('k1'), { signal: AbortSignal.abort() })
      .catch((error) => error)
    check(aborted.name === 'AbortError', 'a signal')
    await db.close()
    if (location === 'memory:') continue
    const reader = await open(location, { mode: 'read' })
    check((await reader.table('raw').count()) === 2001, 'a count')
    await reader.close()
  }
  const absent = await open(`file:${directory}/absent`, { mode: 'read' }).catch((error) => error)
  check(absent.code === 'FIRN_DATABASE_NOT_FOUND', `absent: ${absent.stack}`)
  await writeFile(`${directory}/file`, 'not a directory')
  const file = await open(`file:${directory}/file`).catch((error) => error)
  check(/^FIRN_/.test(file.code), `a file: ${file.stack}`)
  console.log('done')
} finally {
  rmSync(directory, { recursive: true, force: true })
}
