import type { Mutant } from './mutant.js'

/** Bugs on the way to objects on S3. */
export const STORES: readonly Mutant[] = [
  {
    name: 'put-condition-unsent',
    bug: 'S3 doesn’t get the condition that an object must be absent.',
    patches: [
      {
        module: 'object-store-s3/s3-object-store',
        from: "...(ifAbsent === true && { IfNoneMatch: '*' }),",
        to: '',
      },
    ],
  },
  {
    name: 'unavailable-is-missing',
    bug: 'If S3 has no time to look for an object, the object counts as absent.',
    patches: [
      {
        module: 'object-store-s3/internal/s3-errors',
        from: "(status === 404 && code !== 'NoSuchUpload')",
        to: "(status >= 404 && code !== 'NoSuchUpload' && condition === undefined)",
      },
    ],
  },
  {
    name: 'conflict-is-refusal',
    bug: 'If S3 could not decide a conditional put, its condition counts as not met.',
    patches: [
      {
        module: 'object-store-s3/internal/s3-errors',
        from: 'if (status === 412 && key !== undefined) {',
        to: 'if ((status === 412 || status === 409) && key !== undefined) {',
      },
    ],
  },
  {
    name: 'list-of-one-page',
    bug: 'A list ends after its first page.',
    patches: [
      {
        module: 'object-store-s3/internal/object-listing',
        from: 'token = page.IsTruncated === true ? page.NextContinuationToken : undefined;',
        to: 'token = undefined; return;',
      },
    ],
  },
  {
    name: 'part-buffer-reused',
    bug: 'The bytes of a part are overwritten by the next one, though the part may have to be sent again.',
    patches: [
      {
        module: 'object-store-s3/internal/part-buffer',
        from: 'this.#bytes = new Uint8Array(0); this.#length = 0;',
        to: 'this.#length = 0;',
      },
    ],
  },
  {
    name: 'parts-as-they-arrive',
    bug: 'The parts of an upload are joined in the order in which they arrived.',
    patches: [
      {
        module: 'object-store-s3/internal/s3-upload',
        from: 'this.#parts[number - 1] = part;',
        to: 'this.#parts.push({ ...part, PartNumber: this.#parts.length + 1 });',
      },
    ],
  },
]
