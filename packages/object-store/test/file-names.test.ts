import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ODD_KEYS } from '../src/internal/conformance/reading.js'
import { type NameKind, nameOf, segmentOf } from '../src/internal/fs/file-names.js'

const KINDS: readonly NameKind[] = ['file', 'directory']
const segment = fc
  .oneof(
    fc.stringMatching(/^[A-Za-z0-9._=@+-]{1,40}$/),
    fc.constantFrom(...ODD_KEYS.flatMap((key) => key.split('/'))),
    fc.stringMatching(/^(con|NUL|Com1|FIRN|firn)(\.[a-zA-Z]{0,3})?$/),
  )
  .filter((text) => text !== '.' && text !== '..')

// FORMAT.md holds the same table. A change here is a change to what is on people's disks.
const GOLDEN: readonly [string, NameKind, string][] = [
  ['FIRN', 'file', 'FIRN'],
  ['sst', 'directory', 'sst'],
  ['checkpoints', 'directory', 'checkpoints'],
  ['01HZX3V5Q6W7E8R9T0Y1A2S3D4', 'directory', '01HZX3V5Q6W7E8R9T0Y1A2S3D4'],
  [
    '00000000000000000042-01HZX3V5Q6W7E8R9T0Y1A2S3D4.sst',
    'file',
    '00000000000000000042-01HZX3V5Q6W7E8R9T0Y1A2S3D4.sst',
  ],
  [
    '99999999999999999957-01HZX3V5Q6W7E8R9T0Y1A2S3D4',
    'file',
    '99999999999999999957-01HZX3V5Q6W7E8R9T0Y1A2S3D4',
  ],
  ['00000000000000000042', 'file', '00000000000000000042'],
  ['photo.jpeg', 'file', 'photo.jpeg'],
  ['a', 'directory', 'a'],
  ['a', 'file', 'a,'],
  ['v1.2', 'directory', 'v1.2,'],
  ['README.md', 'file', 'README.md!3f'],
  ['Makefile', 'file', 'Makefile,!1'],
  ['firn', 'directory', 'firn!f'],
  ['FIRN', 'directory', 'FIRN,'],
  ['end.', 'file', 'end.!0'],
  ['nul.txt', 'file', ',nul.txt'],
  ['CON', 'directory', ',CON!7'],
]

describe('names of files', () => {
  for (const [key, kind, name] of GOLDEN) {
    test(`keeps ${key} as ${kind} under ${name}`, () => {
      expect(nameOf(key, kind)).toBe(name)
      expect(segmentOf(name, kind)).toBe(key)
    })
  }

  test('finds the segment of each name again', () => {
    fc.assert(
      fc.property(segment, fc.constantFrom(...KINDS), (text, kind) => {
        expect(segmentOf(nameOf(text, kind), kind)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  test('39: gives no two segments, and no file and directory, names that a file system may mix up', () => {
    const folded = (text: string, kind: NameKind) => nameOf(text, kind).toLowerCase()
    fc.assert(
      fc.property(
        segment,
        fc.array(fc.boolean(), { minLength: 1, maxLength: 40 }),
        (text, flips) => {
          const other = [...text]
            .map((letter, i) =>
              flips[i % flips.length] ? letter.toUpperCase() : letter.toLowerCase(),
            )
            .join('')
          const names = new Set([text, other].flatMap((t) => KINDS.map((kind) => folded(t, kind))))
          expect(names.size).toBe(other === text ? 2 : 4)
        },
      ),
      { numRuns: 2000 },
    )
  })

  test('makes names that Windows takes', () => {
    fc.assert(
      fc.property(segment, fc.constantFrom(...KINDS), (text, kind) => {
        const name = nameOf(text, kind)
        expect(name).not.toMatch(/[<>:"/\\|?*\0 ]|\.$/)
        expect(name).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i)
        expect([',tmp', ',lock']).not.toContain(name)
      }),
      { numRuns: 2000 },
    )
  })

  test('knows no segment for names it does not make', () => {
    for (const name of [
      ',tmp',
      ',lock',
      'a',
      'LOCK-0',
      'x!',
      'x!0',
      'README.md',
      'ä.txt',
      '.',
      '..',
    ]) {
      expect(segmentOf(name, 'file'), name).toBeUndefined()
    }
  })

  test('refuses segments that no file system takes', () => {
    expect(nameOf('s'.repeat(254), 'file').length).toBe(255)
    expect(() => nameOf('s'.repeat(255), 'file')).toThrow(/255/)
  })
})
