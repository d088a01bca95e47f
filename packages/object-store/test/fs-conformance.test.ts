import path from 'node:path'
import { FaultyFileSystem } from '@firn/vfs/testing'
import { type ConformanceOptions, objectStoreConformance } from '../src/conformance.js'
import { FsObjectStore, type FsObjectStoreOptions } from '../src/fs.js'
import { tempDirectory } from './temp-directory.js'

function conformance(
  name: string,
  options: FsObjectStoreOptions,
  suite: ConformanceOptions = { manyObjects: 100 },
): void {
  const make = async () => {
    const directory = path.join(await tempDirectory(), 'not', 'made', 'yet')
    return {
      store: new FsObjectStore(directory, options),
      another: () => new FsObjectStore(directory, options),
    }
  }
  objectStoreConformance(name, make, suite)
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
