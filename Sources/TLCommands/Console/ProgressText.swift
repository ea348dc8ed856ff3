import Foundation

/// The words of a progress report, apart from when they are shown.
package struct ProgressText: Sendable {
  package let title: String
  package let total: Int
  package let unit: String

  package init(title: String, total: Int, unit: String) {
    self.title = title
    self.total = total
    self.unit = unit
  }

  /// How far the work is at some time.
  package struct Moment: Sendable {
    let done: Int
    /// What this run did, without what an earlier one had done.
    let new: Int
    let elapsed: Duration
    let note: String

    package init(done: Int, new: Int, elapsed: Duration, note: String) {
      self.done = done
      self.new = new
      self.elapsed = elapsed
      self.note = note
    }

    /// Counts per second, nil before anything is done.
    var rate: Double? {
      let seconds = elapsed / .seconds(1)
      return new > 0 && seconds > 0 ? Double(new) / seconds : nil
    }
  }

  /// One line, as in `features: 1200 of 4000 photos, 31.2 photos/s, 1 min 30 s left, loss 0.31`.
  package func line(_ moment: Moment) -> String {
    let parts = ["\(title): \(moment.done) of \(total) \(unit)"] + pace(moment) + [moment.note]
    return parts.filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// The last line, as in `features: 4000 photos in 2 min 8 s, 31.2 photos/s, loss 0.31`.
  package func summary(_ moment: Moment) -> String {
    let count = moment.done == total ? "\(total)" : "\(moment.done) of \(total)"
    var parts = ["\(title): \(count) \(unit) in \(timeText(moment.elapsed))"]
    if let rate = moment.rate { parts.append("\(rateText(rate)) \(unit)/s") }
    if !moment.note.isEmpty { parts.append(moment.note) }
    return parts.joined(separator: ", ")
  }

  /// The bar, as in
  /// `features [=====>     ] 1200/4000  31.2 photos/s  1 min 30 s left  loss 0.31`.
  ///
  /// Fits into `width - 1` columns: the bar shrinks first, then goes, then the text is cut.
  package func bar(_ moment: Moment, width: Int) -> String {
    let parts = ["\(moment.done)/\(total)"] + pace(moment) + [moment.note]
    let words = parts.filter { !$0.isEmpty }.joined(separator: "  ")
    // A character in the last column makes some terminals wrap.
    let columns = max(width - 1, 1)
    let room = min(30, columns - title.displayWidth - words.displayWidth - 4)
    guard room >= 5 else { return String("\(title) \(words)".prefix(displayWidth: columns)) }
    return "\(title) [\(filled(moment.done, columns: room))] \(words)"
  }

  private func filled(_ done: Int, columns: Int) -> String {
    let full = total == 0 ? columns : min(max(done * columns / total, 0), columns)
    if full == columns { return String(repeating: "=", count: columns) }
    let rest = String(repeating: " ", count: columns - full - 1)
    return String(repeating: "=", count: full) + ">" + rest
  }

  private func pace(_ moment: Moment) -> [String] {
    guard let rate = moment.rate else { return [] }
    let left = Duration.seconds(Double(max(total - moment.done, 0)) / rate)
    return ["\(rateText(rate)) \(unit)/s", "\(timeText(left)) left"]
  }
}

/// A speed with about three digits: `312`, `31.2`, `0.05`.
package func rateText(_ rate: Double) -> String {
  let digits = rate >= 100 ? 0 : rate >= 1 ? 1 : 2
  return String(format: "%.\(digits)f", rate)
}

/// A time in its two largest units: `45 s`, `1 min 30 s`, `2 h 5 min`, `3 d 4 h`.
package func timeText(_ time: Duration) -> String {
  let exact = max(time / .seconds(1), 0)
  if exact < 1 { return "less than 1 s" }
  let seconds = Int(exact.rounded())
  if seconds < 60 { return "\(seconds) s" }
  if seconds < 3600 { return pair(seconds, 60, "min", "s") }
  let minutes = Int((exact / 60).rounded())
  if minutes < 24 * 60 { return pair(minutes, 60, "h", "min") }
  return pair(Int((exact / 3600).rounded()), 24, "d", "h")
}

private func pair(_ value: Int, _ base: Int, _ large: String, _ small: String) -> String {
  let rest = value % base
  return "\(value / base) \(large)" + (rest == 0 ? "" : " \(rest) \(small)")
}
