import { EndlessRun, type Violation } from './violation.js'

/** Replaces who, where and when in a message: the rest is equal for two runs that show one bug. */
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  // Values, keys and rows, as JSON; from the inside out, because they are nested.
  [/"(?:[^"\\]|\\.)*"/g, '…'],
  [/\[[^[\]]*\]/g, '…'],
  [/\[[^[\]]*\]/g, '…'],
  [/\{[^{}]*\}/g, '…'],
  // Files, objects, sessions.
  [/\S*\/\S+/g, '…'],
  // Ids, which are drawn at random.
  [/\b[0-9A-HJKMNP-TV-Z]{26}\b/g, '…'],
  [/\b(?:0x)?[0-9a-f]{16,}\b/g, '…'],
  // Processes, numbers.
  [/\b(writer|reader)[\d.]+/g, '$1'],
  [/\b(compactor|auditor)[\d.]+/g, '$1'],
  [/-?\d[\d.]*/g, '#'],
]

/** The part of a sentence that says what is wrong; its subject comes before it. */
const PREDICATE =
  / (?:is|isn't|has|hasn't|may|must|can't|doesn't|don't|failed|showed|refreshed|needs|holds|lacks|saw|gave) .*/

/**
 * Returns why a run failed, once for each problem in the message. Two runs that share a reason show
 * the same bug.
 */
export function reasonsOf(failure: Violation): Set<string> {
  return new Set(failure.message.split('\n').map(reasonOf))
}

/**
 * Whether a run failed for the first reason of another one. With `anyFailure`, any reason counts
 * except that its events ran out: that may happen to a sound run too, when decisions were removed.
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
