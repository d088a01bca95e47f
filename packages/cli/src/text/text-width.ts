const PLAIN = /^[\x20-\x7e]*$/
const ZERO_WIDTH = /^[\p{Mn}\p{Me}\p{Cf}]/u
// East Asian wide and full-width ranges, and emoji: terminals give them two columns.
const WIDE =
  /^(?:\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe4f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u

let segmenter: Intl.Segmenter | undefined

/** Returns how many columns a terminal gives to `text`, which holds no control characters. */
export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length
  let width = 0
  for (const character of graphemes(text)) width += characterWidth(character)
  return width
}

/** Returns `text`, or as much of it as fits into the columns with an ellipsis at its end. */
export function fitToWidth(text: string, columns: number): string {
  if (text.length <= columns && PLAIN.test(text)) return text
  if (PLAIN.test(text)) return `${text.slice(0, Math.max(0, columns - 1))}…`
  if (textWidth(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const character of graphemes(text)) {
    width += characterWidth(character)
    if (width > columns - 1) break
    kept += character
  }
  return `${kept}…`
}

function* graphemes(text: string): Iterable<string> {
  segmenter ??= new Intl.Segmenter()
  for (const { segment } of segmenter.segment(text)) yield segment
}

function characterWidth(character: string): number {
  if (ZERO_WIDTH.test(character)) return 0
  // U+FE0F asks for the emoji form of a character that is text by itself.
  return WIDE.test(character) || character.includes('\ufe0f') ? 2 : 1
}
