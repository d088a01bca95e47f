import { type _Object as ListedObject, ListObjectsV2Command } from '@aws-sdk/client-s3'
import { isKey, type ListOptions, type ObjectInfo } from '@firn/object-store'
import { etagOf } from './etag.js'
import { badReply } from './s3-errors.js'
import type { S3Requests } from './s3-requests.js'

/** The most objects that S3 lists with one request. */
const PAGE_KEYS = 1000

/**
 * Lists the objects below a folder ('' or ending in '/'). Checks that S3 lists them in key order.
 * Skips objects whose names aren't valid keys, such as those that consoles create to show folders.
 */
export async function* listObjects(
  requests: S3Requests,
  folder: string,
  { prefix = '', startAfter, limit = Number.POSITIVE_INFINITY, signal, urgent }: ListOptions,
): AsyncGenerator<ObjectInfo, void, undefined> {
  const doing = `listing objects under '${prefix}'`
  let left = limit
  let last = startAfter ?? ''
  let token: string | undefined
  do {
    const page = await requests.run({ kind: 'list', doing, signal, urgent }, (client, options) => {
      const command = new ListObjectsV2Command({
        Bucket: requests.bucket,
        Prefix: folder + prefix,
        MaxKeys: Math.min(left, PAGE_KEYS),
        ...(token !== undefined && { ContinuationToken: token }),
        ...(token === undefined && startAfter !== undefined && { StartAfter: folder + startAfter }),
      })
      return client.send(command, options)
    })
    for (const listed of page.Contents ?? []) {
      const info = infoOf(listed, folder, doing)
      if (!isKey(info.key)) continue
      if (info.key <= last) throw badReply(doing, 'is not in key order')
      last = info.key
      yield info
      if (--left === 0) return
    }
    token = page.IsTruncated === true ? page.NextContinuationToken : undefined
    if (page.IsTruncated === true && (token === undefined || token === '')) {
      throw badReply(doing, 'is truncated, but has no continuation token')
    }
  } while (token !== undefined)
}

function infoOf({ Key, Size, ETag }: ListedObject, folder: string, doing: string): ObjectInfo {
  if (Key === undefined || !Key.startsWith(folder) || Size === undefined) {
    throw badReply(doing, 'has an object without key or size, or of another folder')
  }
  return { key: Key.slice(folder.length), size: Size, etag: etagOf(ETag, doing) }
}
