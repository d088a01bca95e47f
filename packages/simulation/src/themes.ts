import type { Decisions } from './decisions.js'
import type { FaultKind } from './faults.js'
import type { PlaceKind } from './place.js'

/** Values of which one is drawn, as likely as it is listed. The first is the dull one. */
type Choices = readonly [number, ...number[]]

/**
 * Limits for which a theme has its own values: members of `Limits` and `LifeLimits`, and the
 * options in them.
 */
export type LimitName =
  | 'blockBytes'
  | 'targetFileBytes'
  | 'levelBaseBytes'
  | 'level0Trigger'
  | 'inlineLimitBytes'
  | 'uploadMs'
  | 'readMs'
  | 'leaseMs'
  | 'memtableBytes'
  | 'cacheBytes'
  | 'segment bytes'
  | 'pageRows'
  | 'keys'

/**
 * The theme of a run. If everything is done now and then, bugs that take several rare things in a
 * row hardly ever show up. So most runs have a theme, in which some operations, limits and faults
 * come often, and all others seldom.
 */
export interface Theme {
  readonly name: string
  /** How often it is drawn, relative to the others. */
  readonly weight: number
  /** Names of operations that are done often. None: all are as usual. */
  readonly often: readonly string[]
  /** Where the database may be. Default: anywhere. */
  readonly places?: readonly [PlaceKind, ...PlaceKind[]]
  /** How many processes write, unless the database is in a directory. Default: 1 to 3. */
  readonly writers?: Choices
  /** How many processes only read. */
  readonly readers?: Choices
  /** How many operations a process does, at least and at most. Default: 10 to 50. */
  readonly operations?: readonly [least: number, most: number]
  readonly limits?: Partial<Readonly<Record<LimitName, Choices>>>
  /** Faults of services that are likely. */
  readonly faults?: readonly FaultKind[]
  /** Whether services are often out of reach. */
  readonly hasOutages?: boolean
  /**
   * Whether processes and their machine often crash at the moment at which a client is told
   * something.
   */
  readonly crashesUponAnswers?: boolean
  /** Whether part of the caches is on disk in all runs. */
  readonly hasCacheDisks?: boolean
}

/** The theme with a bit of everything. */
const ANYTHING: Theme = { name: 'anything', weight: 5, often: [] }

/** All themes; the first is the dull one. */
export const THEMES: readonly [Theme, ...Theme[]] = [
  ANYTHING,
  {
    name: 'durability',
    weight: 4,
    often: ['durable after buffered', 'buffer and pause', 'burst', 'flush', 'reopen', 'put'],
    places: ['embedded'],
    readers: [0],
    operations: [30, 100],
    limits: {
      inlineLimitBytes: [1_000_000, 1_000_000, 2000],
      'segment bytes': [4096, 4096, 4096, 16_384],
      uploadMs: [0],
    },
    crashesUponAnswers: true,
  },
  {
    name: 'validation',
    weight: 4,
    often: [
      'rivalled transaction',
      'outrun transaction',
      'transactions at once',
      'transaction',
      'mixed transaction',
      'bank',
    ],
    places: ['objects', 'dynamodb'],
    writers: [2, 2, 3],
    readers: [0],
    operations: [5, 16],
    limits: {
      inlineLimitBytes: [2000, 2000, 300],
      uploadMs: [0, 0, 500, 4000],
      readMs: [0, 300, 1000],
      cacheBytes: [1_000_000, 0, 0],
      memtableBytes: [1024, 1024, 4096],
      keys: [8, 40, 150],
      pageRows: [1000, 2, 2, 7],
    },
  },
  {
    name: 'outrun',
    weight: 3,
    often: ['outrun transaction', 'fill', 'mixed transaction', 'compact', 'transaction'],
    operations: [5, 16],
    limits: {
      inlineLimitBytes: [2000, 1_000_000],
      memtableBytes: [1024, 1024, 4096],
      uploadMs: [0, 500, 4000],
      keys: [150],
      pageRows: [1000, 2, 2, 7],
    },
  },
  {
    name: 'drops',
    weight: 3,
    often: ['drop amid writes', 'drop table', 'rivalled transaction', 'outrun transaction'],
    places: ['embedded', 'embedded', 'objects', 'dynamodb'],
    writers: [2, 1, 3],
    readers: [0, 1],
    operations: [6, 20],
  },
  {
    name: 'moments',
    weight: 3,
    often: ['view amid writes', 'snapshot', 'held scan', 'get at', 'burst', 'fill'],
    places: ['embedded', 'embedded', 'objects', 'dynamodb'],
    limits: { keys: [150, 150, 8], cacheBytes: [1_000_000, 0], pageRows: [1000, 2, 7, 30] },
  },
  {
    name: 'doubt',
    weight: 3,
    often: ['batch', 'large batch', 'compact', 'transaction', 'append'],
    places: ['objects', 'dynamodb', 'dynamodb'],
    operations: [5, 16],
    limits: { inlineLimitBytes: [300, 64, 2000], memtableBytes: [1024, 1024, 4096] },
    faults: ['lost-reply', 'late-apply', 'conflict', 'own-refusal', 'applied-twice', 'fail-before'],
    hasOutages: true,
  },
  {
    name: 'shape',
    weight: 3,
    often: ['put', 'delete', 'batch', 'large batch', 'compact', 'scan', 'count'],
    limits: {
      inlineLimitBytes: [2000, 300],
      memtableBytes: [1024, 4096, 16_384],
      blockBytes: [4096, 64],
      targetFileBytes: [400, 400, 2000],
      levelBaseBytes: [800, 800, 5000],
      level0Trigger: [1, 2, 4],
      uploadMs: [0, 500, 4000],
      keys: [8, 40, 40],
    },
  },
  {
    name: 'caches',
    weight: 1,
    often: ['scan', 'get many', 'get at', 'evict', 'large batch', 'warm'],
    places: ['objects', 'dynamodb'],
    limits: { inlineLimitBytes: [300, 64], cacheBytes: [4096, 0], memtableBytes: [1024, 4096] },
    hasCacheDisks: true,
  },
  {
    name: 'leases',
    weight: 1,
    often: ['put', 'burst', 'compact', 'refresh', 'get at'],
    places: ['dynamodb', 'objects'],
    writers: [3, 2],
    operations: [6, 20],
    limits: {
      leaseMs: [0, 4000, 20_000],
      memtableBytes: [1024],
      inlineLimitBytes: [2000, 1_000_000],
    },
    faults: ['slow', 'lost-reply', 'late-apply'],
  },
]

const WEIGHTS: readonly number[] = THEMES.map(({ weight }) => weight)

export function drawTheme(decisions: Decisions): Theme {
  return THEMES[decisions.weigh('theme', WEIGHTS)] ?? ANYTHING
}

/** Returns how much more often than usual an operation is done, by its name. */
export function factorOf({ often }: Theme, operation: string): number {
  if (often.length === 0) return 1
  return often.includes(operation) ? OFTEN : SELDOM
}

const OFTEN = 6
const SELDOM = 0.4
