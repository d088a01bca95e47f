import type { Mutant } from './mutant.js'

/** In what reaches objects on S3. */
export const STORES: readonly Mutant[] = [
  {
    name: 'put-condition-unsent',
    bug: 'S3 is not told of the condition that an object must be absent.',
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
    bug: 'An object that S3 has no time to look for is taken for one that is not there.',
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
    bug: 'A conditional put that S3 could not decide is taken for one whose condition did not hold.',
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
    bug: 'A list ends where its first page does.',
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
    bug: 'The bytes of a part are written over by those of the next one, though it may have to be sent again.',
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
    bug: 'The parts of an upload are put together in the order in which they arrived.',
    patches: [
      {
        module: 'object-store-s3/internal/s3-upload',
        from: 'this.#parts[number - 1] = part;',
        to: 'this.#parts.push({ ...part, PartNumber: this.#parts.length + 1 });',
      },
    ],
  },
]
