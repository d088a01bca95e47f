// Packs every public package as a release would and checks the tarballs: publint's rules, types
// that resolve in every entry point (ESM only), and no dependency that exists only in this
// workspace.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const workspace = join(import.meta.dirname, '..')
const bin = join(import.meta.dirname, 'node_modules/.bin')
const directory = mkdtempSync(join(tmpdir(), 'firn-pack-'))
let failed = 0

function report(name, problem) {
  console.error(`${name}: ${problem}`)
  failed++
}

function run(name, command, args) {
  const { status, stdout, stderr } = spawnSync(join(bin, command), args, { encoding: 'utf8' })
  if (status !== 0) report(name, `${command} ${args.join(' ')}\n${stdout}${stderr}`)
}

function manifestIn(tarball) {
  const text = execFileSync('tar', ['-xzOf', tarball, 'package/package.json'], { encoding: 'utf8' })
  return JSON.parse(text)
}

try {
  const pack = ['--recursive', '--filter', './packages/*', 'pack', '--pack-destination', directory]
  execFileSync('npx', ['-y', 'pnpm@10.34.9', ...pack], { cwd: workspace, stdio: 'pipe' })
  const tarballs = readdirSync(directory).filter((name) => name.endsWith('.tgz'))
  let checked = 0
  for (const file of tarballs) {
    const tarball = join(directory, file)
    const manifest = manifestIn(tarball)
    if (manifest.private === true) continue
    checked++
    for (const kind of ['dependencies', 'peerDependencies', 'optionalDependencies']) {
      for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
        if (/^(workspace|catalog|link|file):/.test(range)) {
          report(manifest.name, `${kind} has ${name}@${range}, which nobody else can resolve`)
        }
      }
    }
    const listed = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' }).split('\n')
    for (const file of ['README.md', 'LICENSE']) {
      if (!listed.includes(`package/${file}`)) report(manifest.name, `no ${file} in the tarball`)
    }
    const stray = listed.filter((path) => /\.tsbuildinfo$|\/test\//.test(path))
    if (stray.length > 0) report(manifest.name, `not meant to be published: ${stray.join(', ')}`)
    run(manifest.name, 'publint', ['run', tarball, '--strict'])
    if (manifest.exports !== undefined) {
      run(manifest.name, 'attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color'])
    }
  }
  const packages = readdirSync(join(workspace, 'packages')).map((name) =>
    JSON.parse(readFileSync(join(workspace, 'packages', name, 'package.json'), 'utf8')),
  )
  const due = packages.filter((manifest) => manifest.private !== true).length
  if (checked !== due) report('workspace', `${checked} of ${due} packages were packed`)
  if (failed === 0) console.log(`${checked} packages are fit to publish`)
} finally {
  rmSync(directory, { recursive: true })
}
process.exitCode = failed === 0 ? 0 : 1
