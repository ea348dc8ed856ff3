internal import CCairo
import Synchronization

/// What could not be written in pictures as it should have been.
package enum MissingLetters {
  private static let found = Mutex((letters: Set<Character>(), hasFont: true))

  /// What to say of it, in one line and once; nil if nothing was missing since the last time.
  package static func takeWarning() -> String? {
    let (letters, hasFont) = found.withLock { found in
      defer { found = ([], true) }
      return found
    }
    let shown = letters.sorted().prefix(8).map { "'\($0)'" }.joined(separator: ", ")
    let without = letters.isEmpty ? "" : ", without \(shown)\(letters.count > 8 ? " and more" : "")"
    if !hasFont {
      return "no font was found: pictures have Cairo's own plain letters\(without); "
        + "`apt-get install fonts-dejavu-core` brings a font"
    }
    return letters.isEmpty
      ? nil : "the font for pictures has no \(shown)\(letters.count > 8 ? " and more" : "")"
  }

  static func note(_ letters: [Character], hasFont: Bool) {
    guard !letters.isEmpty || !hasFont else { return }
    found.withLock {
      $0.letters.formUnion(letters)
      if !hasFont { $0.hasFont = false }
    }
  }
}

extension Canvas {
  /// Whether fontconfig found a font, after one was chosen.
  ///
  /// Where there is none Cairo draws with letters of its own, of ASCII only, as a "user font".
  var hasFont: Bool {
    cairo_scaled_font_get_type(cairo_get_scaled_font(context)) != CAIRO_FONT_TYPE_USER
  }

  /// The letters that the chosen font lacks and that nothing like them replaces.
  func missing(in text: String) -> [Character] {
    text.filter { !$0.isASCII && !has($0) && Self.likeness[$0] == nil }
  }

  /// The text as the chosen font can write it: instead of empty boxes, something like the letter or
  /// a question mark.
  func writable(_ text: String) -> String {
    guard !text.utf8.allSatisfy({ $0 < 128 }) else { return text }
    return text.map { has($0) ? String($0) : Self.likeness[$0] ?? "?" }.joined()
  }

  private static let likeness: [Character: String] = ["×": "x", "…": "...", "–": "-", "≥": ">="]

  private func has(_ letter: Character) -> Bool {
    if letter.isASCII { return true }
    guard hasFont else { return false }
    var glyphs: UnsafeMutablePointer<cairo_glyph_t>?
    var count: Int32 = 0
    let text = String(letter)
    let status = cairo_scaled_font_text_to_glyphs(
      cairo_get_scaled_font(context), 0, 0, text, Int32(text.utf8.count), &glyphs, &count, nil,
      nil, nil)
    defer { cairo_glyph_free(glyphs) }
    // Glyph 0 is the box that stands for all that is missing.
    return status == CAIRO_STATUS_SUCCESS
      && UnsafeBufferPointer(start: glyphs, count: Int(count)).allSatisfy { $0.index != 0 }
  }
}
