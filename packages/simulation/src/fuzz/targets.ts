import type { FuzzTarget } from './fuzz-target.js'
import { bytesTargets } from './targets/bytes.js'
import { dynamoDbTargets } from './targets/dynamodb.js'
import { engineTargets } from './targets/engine.js'
import { httpTargets } from './targets/http.js'
import { logTargets } from './targets/logs.js'
import { manifestTargets } from './targets/manifest.js'
import { segmentTargets } from './targets/segments.js'
import { sstTargets } from './targets/sst.js'

/** Every decoder that is fuzzed. */
export const fuzzTargets: readonly FuzzTarget[] = [
  ...bytesTargets,
  ...sstTargets,
  ...manifestTargets,
  ...logTargets,
  ...segmentTargets,
  ...dynamoDbTargets,
  ...httpTargets,
  ...engineTargets,
]
