import path from 'node:path'
import { LONG, tempDirectory } from '@firn/test-support'
import { FaultyFileSystem } from '@firn/vfs/testing'
import { afterAll } from 'vitest'
import { type ConformanceOptions, objectStoreConformance } from '../src/conformance.js'
import { FsObjectStore, type FsObjectStoreOptions } from '../src/fs.js'

function conformance(
  name: string,
  options: FsObjectStoreOptions,
  suite: ConformanceOptions = { manyObjects: 100 },
): void {
  const parent = tempDirectory(afterAll)
  const make = () => {
    const directory = path.join(parent, 'not', 'made', 'yet')
    return {
      store: new FsObjectStore(directory, options),
      another: () => new FsObjectStore(directory, options),
    }
  }
  objectStoreConformance(name, make, LONG ? { rounds: 100, racers: 50, ...suite } : suite)
}

conformance('FsObjectStore', { fsync: false }, {})
conformance('FsObjectStore with fsync', {})
conformance('FsObjectStore by threads, with few open files', {
  fsync: false,
  reads: 'threads',
  openFiles: 2,
})
conformance('FsObjectStore without hard links', {
  fsync: false,
  fileSystem: new FaultyFileSystem(({ call }) =>
    call === 'link' ? { code: 'EOPNOTSUPP' } : undefined,
  ),
})
