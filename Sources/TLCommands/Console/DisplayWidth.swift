extension String {
  /// The columns that a terminal takes for this text: 2 for East Asian wide characters and emoji,
  /// 0 for combining marks.
  package var displayWidth: Int {
    reduce(0) { $0 + $1.displayWidth }
  }

  /// As much of the start as fits into `width` columns.
  package func prefix(displayWidth width: Int) -> Substring {
    var used = 0
    return prefix { character in
      used += character.displayWidth
      return used <= width
    }
  }
}

extension Character {
  /// The columns that a terminal takes for this character.
  package var displayWidth: Int {
    // The base decides; marks, joiners and variation selectors ride on it.
    guard let base = unicodeScalars.first else { return 0 }
    switch base.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    let isEmoji =
      base.properties.isEmojiPresentation || unicodeScalars.contains { $0.value == 0xFE0F }
    return isEmoji || base.isWide ? 2 : 1
  }
}

extension Unicode.Scalar {
  /// Whether East_Asian_Width is W or F, by blocks (Unicode Standard Annex 11).
  fileprivate var isWide: Bool {
    switch value {
    case 0x1100...0x115F,  // Hangul initial consonants
      0x2E80...0x303E,  // radicals, CJK punctuation
      0x3041...0x33FF,  // kana, bopomofo, CJK compatibility
      0x3400...0x4DBF, 0x4E00...0x9FFF,  // ideographs
      0xA000...0xA4CF, 0xA960...0xA97C,  // Yi, Hangul initials extended
      0xAC00...0xD7A3,  // Hangul syllables
      0xF900...0xFAFF, 0xFE30...0xFE6F,  // compatibility forms
      0xFF01...0xFF60, 0xFFE0...0xFFE6,  // full width forms
      0x17000...0x18CFF, 0x1B000...0x1B2FF,  // Tangut, kana supplement
      0x20000...0x3FFFD:
      true
    default: false
    }
  }
}

/// `text` with control characters written out (`\n`, `\u{1B}`), so that a file's name can neither
/// break a line nor command the terminal.
package func escapingControls(_ text: String, keeping kept: Unicode.Scalar? = nil) -> String {
  guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else {
    return text
  }
  return text.unicodeScalars.reduce(into: "") { result, scalar in
    let isPlain = scalar.properties.generalCategory != .control || scalar == kept
    result += isPlain ? String(scalar) : scalar.escaped(asASCII: true)
  }
}
