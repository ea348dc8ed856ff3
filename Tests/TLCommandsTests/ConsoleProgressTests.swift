import TLCommands
import Testing

@Suite struct ConsoleProgressTests {
  private func progress(
    _ test: TestConsole, _ clock: TestClock, total: Int = 4000, from start: Int = 0
  ) -> TLCommands.Progress {
    .init(
      title: "features", total: total, unit: "photos", from: start, console: test.console,
      now: { clock.now })
  }

  @Test func linesComeAfterASecondThenEveryFiveSeconds() {
    let (test, clock) = (TestConsole(), TestClock())
    let progress = progress(test, clock)
    for second in 1...12 {
      clock.advance(by: .milliseconds(500))
      progress.advance(to: second * 20 - 10)
      clock.advance(by: .milliseconds(500))
      progress.advance(to: second * 20)
    }
    progress.finish()
    #expect(
      test.errors.lines == [
        "features: 20 of 4000 photos, 20.0 photos/s, 3 min 19 s left",
        "features: 120 of 4000 photos, 20.0 photos/s, 3 min 14 s left",
        "features: 220 of 4000 photos, 20.0 photos/s, 3 min 9 s left",
        "features: 240 of 4000 photos in 12 s, 20.0 photos/s",
      ])
  }

  @Test func fastWorkGivesALinePerTenthAndOneAtTheEnd() {
    let (test, clock) = (TestConsole(), TestClock())
    let progress = progress(test, clock)
    for step in 1...40 {
      clock.advance(by: .milliseconds(100))
      progress.advance(to: step * 100, note: "loss 0.\(step)")
    }
    progress.finish(note: "done")
    let counts = test.errors.lines.dropLast().map { $0.split(separator: " ")[1] }
    #expect(counts == ["1000", "1400", "1800", "2200", "2600", "3000", "3400", "3800"])
    #expect(
      test.errors.lines.first
        == "features: 1000 of 4000 photos, 1000 photos/s, 3 s left, loss 0.10")
    #expect(test.errors.lines.last == "features: 4000 photos in 4 s, 1000 photos/s, done")
  }

  @Test func workUnderASecondGivesOneLine() {
    let (test, clock) = (TestConsole(), TestClock())
    let progress = progress(test, clock)
    clock.advance(by: .milliseconds(900))
    progress.advance(to: 4000)
    progress.finish()
    progress.finish()
    progress.advance(to: 4000)
    #expect(test.errors.lines == ["features: 4000 photos in less than 1 s, 4444 photos/s"])
  }

  @Test func whatAnEarlierRunDidDoesNotCountIntoTheSpeed() {
    let (test, clock) = (TestConsole(), TestClock())
    let progress = progress(test, clock, from: 3000)
    clock.advance(by: .seconds(10))
    progress.advance(to: 3100)
    #expect(
      test.errors.lines == ["features: 3100 of 4000 photos, 10.0 photos/s, 1 min 30 s left"])
  }

  @Test func quietSaysNothing() {
    let (test, clock) = (TestConsole(isQuiet: true), TestClock())
    let progress = progress(test, clock)
    clock.advance(by: .seconds(10))
    progress.advance(to: 3100)
    progress.finish()
    #expect(test.errors.text == "")
  }

  @Test func aTerminalIsRedrawnTenTimesASecondAndEndsWithALine() {
    let test = TestConsole(terminal: Terminal(isTerminal: true, hasColor: false) { 60 })
    let clock = TestClock()
    let progress = progress(test, clock, total: 100)
    for step in 1...100 {
      clock.advance(by: .milliseconds(10))
      progress.advance(to: step)
    }
    progress.finish()
    let drawn = test.errors.text.split(separator: "\r\u{1B}[K").map(String.init)
    #expect(drawn.count == 11)
    #expect(drawn[5] == "features [===>   ] 51/100  100 photos/s  less than 1 s left")
    #expect(drawn.last == "features: 100 photos in 1 s, 100 photos/s\n")
  }

  @Test(arguments: [1, 5, 20, 40, 60, 80, 200])
  func theBarFitsTheTerminal(width: Int) {
    let text = ProgressText(title: "写真 photos", total: 4000, unit: "photos")
    for done in [0, 1, 1999, 4000] {
      let bar = text.bar(
        .init(done: done, new: done, elapsed: .seconds(7), note: "loss 0.31"), width: width)
      #expect(bar.displayWidth <= max(width - 1, 1), "'\(bar)'")
      #expect(width < 80 || bar.contains("\(done)/4000") && bar.contains("]"), "'\(bar)'")
    }
  }

  @Test func theBarFillsFromEmptyToFull() {
    let text = ProgressText(title: "t", total: 4, unit: "photos")
    let bars = (0...4).map {
      text.bar(.init(done: $0, new: 0, elapsed: .zero, note: ""), width: 17)
    }
    #expect(
      bars == [
        "t [>       ] 0/4", "t [==>     ] 1/4", "t [====>   ] 2/4", "t [======> ] 3/4",
        "t [========] 4/4",
      ])
  }

  @Test func nothingToDoIsDone() {
    let (test, clock) = (TestConsole(), TestClock())
    let progress = progress(test, clock, total: 0)
    clock.advance(by: .seconds(2))
    progress.advance(to: 0)
    progress.finish()
    #expect(
      test.errors.lines == ["features: 0 of 0 photos", "features: 0 photos in 2 s"])
  }

  @Test(arguments: [
    (-3.0, "less than 1 s"), (0.99, "less than 1 s"), (1, "1 s"), (59.4, "59 s"),
    (59.6, "1 min"), (90, "1 min 30 s"), (3599, "59 min 59 s"), (3600, "1 h"),
    (7500, "2 h 5 min"), (86_399, "1 d"), (100_000, "1 d 4 h"),
  ])
  func timesInTwoUnits(seconds: Double, text: String) {
    #expect(timeText(.seconds(seconds)) == text)
  }

  @Test(arguments: [(0.05, "0.05"), (9.96, "10.0"), (31.24, "31.2"), (312.4, "312")])
  func speedsInThreeDigits(rate: Double, text: String) {
    #expect(rateText(rate) == text)
  }
}
