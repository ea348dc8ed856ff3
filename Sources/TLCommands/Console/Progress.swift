import Synchronization

/// Reports long work on stderr: a bar on a terminal, else a line now and then.
///
///     let progress = Progress(title: "features", total: 4000, unit: "photos")
///     progress.advance(to: 1200, note: "loss 0.31")
///     progress.finish()
///
/// A terminal is redrawn at most 10 times a second. Elsewhere the first line comes after a second,
/// the next ones every 5 seconds or 10 %, and one at the end. May be called from any thread.
package final class Progress: Sendable {
  private struct State {
    var done: Int
    var note = ""
    var isFinished = false
    /// When something was last drawn or printed, and at what count.
    var shown: (at: Duration, done: Int)?
  }

  private let text: ProgressText
  private let start: Int
  private let console: Console
  private let now: @Sendable () -> Duration
  private let began: Duration
  private let state: Mutex<State>

  /// - Parameters:
  ///   - unit: what is counted, in the plural.
  ///   - start: how much was done before, by an earlier run; it does not count into the speed.
  ///   - now: a clock that never goes back.
  package init(
    title: String, total: Int, unit: String, from start: Int = 0, console: Console = .standard,
    now: @escaping @Sendable () -> Duration = Progress.monotonic
  ) {
    precondition(
      total >= start && start >= 0, "0 <= start <= total must hold but is 0, \(start), \(total)")
    text = ProgressText(title: title, total: total, unit: unit)
    self.start = start
    self.console = console
    self.now = now
    began = now()
    state = Mutex(State(done: start))
  }

  /// Time since this program first asked.
  package static let monotonic: @Sendable () -> Duration = {
    let origin = ContinuousClock.now
    return { ContinuousClock.now - origin }
  }()

  /// Says how far the work is; cheap enough to be called for every photo.
  ///
  /// - Parameter note: a word on how it goes, e.g. `loss 0.31`; stays until the next one.
  package func advance(to done: Int, note: String? = nil) {
    state.withLock { state in
      guard !state.isFinished else { return }
      state.done = done
      if let note { state.note = note }
      let elapsed = now() - began
      guard !console.isQuiet, isDue(state, at: elapsed) else { return }
      state.shown = (elapsed, done)
      show(state, at: elapsed)
    }
  }

  /// Ends the report with one line that stays: how much in what time.
  package func finish(note: String? = nil) {
    state.withLock { state in
      guard !state.isFinished else { return }
      state.isFinished = true
      if let note { state.note = note }
      guard !console.isQuiet else { return }
      console.errors.clearStatus()
      console.errors.line(text.summary(moment(state, at: now() - began)))
    }
  }

  private func isDue(_ state: State, at elapsed: Duration) -> Bool {
    let isTerminal = console.errors.terminal.isTerminal
    guard let shown = state.shown else { return isTerminal || elapsed >= .seconds(1) }
    let wait = elapsed - shown.at
    if isTerminal { return wait >= .milliseconds(100) }
    return wait >= .seconds(5) || (state.done - shown.done) * 10 >= max(text.total, 1)
  }

  private func show(_ state: State, at elapsed: Duration) {
    let moment = moment(state, at: elapsed)
    let terminal = console.errors.terminal
    if terminal.isTerminal {
      console.errors.show(status: text.bar(moment, width: terminal.width()))
    } else {
      console.errors.line(text.line(moment))
    }
  }

  private func moment(_ state: State, at elapsed: Duration) -> ProgressText.Moment {
    .init(done: state.done, new: state.done - start, elapsed: elapsed, note: state.note)
  }
}
