import { EndlessRun, type Violation } from './violation.js'

/** What goes wrong, without who, where and when: the same for two runs that show one bug. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  // Values, keys and rows, as JSON; from the inside out, as they hold each other.
  [/"(?:[^"\\]|\\.)*"/g, '…'],
  [/\[[^[\]]*\]/g, '…'],
  [/\[[^[\]]*\]/g, '…'],
  [/\{[^{}]*\}/g, '…'],
  // Files, objects, sessions.
  [/\S*\/\S+/g, '…'],
  // Ids, which are drawn.
  [/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '…'],
  [/\b(?:0x)?[0-9a-f]{16,}\b/g, '…'],
  // Processes, numbers.
  [/\b(writer|reader)[\d.]+/g, '$1'],
  [/\b(compactor|auditor)[\d.]+/g, '$1'],
  [/-?\d[\d.]*/g, '#'],
]

/**
 * Where the part of a sentence begins that says what is wrong; before it is what that is true of.
 */
const PREDICATE =
  / (?:is|isn't|has|hasn't|may|must|can't|doesn't|don't|failed|showed|refreshed|needs|holds|lacks|saw|gave) .*/

/**
 * Why a run failed, once for each problem that it tells of. Two runs that share one show the same
 * bug.
 */
export function reasonsOf(failure: Violation): Set<string> {
  return new Set(failure.message.split('\n').map(reasonOf))
}

/**
 * Whether a run failed for the first reason of another; where `anyFailure` will do, for whatever
 * reason but that its events ran out, which a sound run's may as well when things were taken from
 * it.
 */
export function showsTheBug(
  found: Violation | undefined,
  failure: Violation,
  anyFailure = false,
): boolean {
  if (found === undefined) return false
  const [reason = ''] = reasonsOf(failure)
  return reasonsOf(found).has(reason) || (anyFailure && !(found instanceof EndlessRun))
}

function reasonOf(line: string): string {
  let text = line
  for (const [pattern, replacement] of VARIABLE) text = text.replace(pattern, replacement)
  return (PREDICATE.exec(text)?.[0] ?? text).trim()
}
