import fs from 'node:fs'
import path from 'node:path'
import { tempDirectory } from '@firn/test-support'
import { expect, test } from 'vitest'
import { isOneKernelOnly, placeOf } from '../src/place.js'

const ON_A_DISK = String(254 * 256)
const WITHOUT_DEVICE = '45'

test('says where a directory lies', () => {
  const directory = tempDirectory()
  fs.mkdirSync(path.join(directory, 'below'))
  expect(placeOf(path.join(directory, 'below'))).toEqual(placeOf(directory))
  expect(placeOf(directory).device).toBe(String(fs.statSync(directory).dev))
  expect(() => placeOf(path.join(directory, 'none'))).toThrow('ENOENT')
})

test.runIf(process.platform === 'linux')('names the kind of file system', () => {
  expect(placeOf('/proc')).toMatchObject({ fileSystem: '0x9fa0' })
})

test('takes no file system that machines may share for one that only one kernel has', () => {
  const kinds = {
    nfs: '0x6969',
    cifs: '0xff534d42',
    smb2: '0xfe534d42',
    fuse: '0x65735546',
    '9p': '0x1021997',
    ceph: '0xc36400',
    lustre: '0xbd00bd0',
    gfs2: '0x1161970',
    ocfs2: '0x7461636f',
    gpfs: '0x47504653',
    afs: '0x5346414f',
    vboxsf: '0x786f4256',
    unknown: '0x1',
    hidden: '',
  }
  for (const fileSystem of Object.values(kinds)) {
    expect(isOneKernelOnly({ fileSystem, device: ON_A_DISK }), fileSystem).toBe(false)
  }
})

test('knows file systems of one kernel, and those that only pretend', () => {
  for (const fileSystem of ['0xef53', '0x58465342', '0xf2f52010']) {
    expect(isOneKernelOnly({ fileSystem, device: ON_A_DISK })).toBe(true)
    // As some versions of 9p report the file system of the server.
    expect(isOneKernelOnly({ fileSystem, device: WITHOUT_DEVICE })).toBe(false)
    expect(isOneKernelOnly({ fileSystem, device: String((1 << 20) + 7) })).toBe(false)
    expect(isOneKernelOnly({ fileSystem, device: '' })).toBe(false)
  }
  for (const fileSystem of ['0x9123683e', '0x2fc12fc1', '0x1021994', '0x794c7630']) {
    expect(isOneKernelOnly({ fileSystem, device: WITHOUT_DEVICE })).toBe(true)
  }
})
