import Foundation
import TestSupport
import Testing
import Training

/// Predictions as files, and conditions on metrics.
struct PredictionsTests {
  private static let predictions = Predictions(
    classNames: ["cats", "a \"dog\", or two", "birds\r\nand bees"],
    rows: [
      .init(path: "cats/1.jpg", label: 0, probabilities: [0.7, 0.2, 0.1]),
      .init(path: "cats/,\"2\"\n.jpg", label: 0, probabilities: [0.1, 1 / 3, 0.5666667]),
      .init(path: "\u{FFFD}.jpg", label: 1, probabilities: [1e-30, 0.5, 0.5]),
    ])

  @Test func fileReadsBackAsItWas() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/predictions.csv"
      try Self.predictions.write(to: path)
      #expect(try Predictions(contentsOf: path) == Self.predictions)
      let text = try String(contentsOfFile: path, encoding: .utf8)
      #expect(text.hasPrefix("path,class,predicted,cats,\"a \"\"dog\"\", or two\",\"birds\r\nand"))
      #expect(text.contains("\ncats/1.jpg,cats,cats,0.7,0.2,0.1\n"))
    }
  }

  @Test func otherProgramsLinesAreRead() throws {
    let text = "\u{FEFF}path,class,predicted,a,b\r\n\r\n\"x, y\",b,a,\"1\",0\r\nz,a,a,0.5,0.5"
    let read = try Predictions(csv: Data(text.utf8), path: "p.csv")
    #expect(read.classNames == ["a", "b"])
    #expect(read.rows.map(\.path) == ["x, y", "z"])
    #expect(read.rows.map(\.label) == [1, 0])
    #expect(read.mistakes.map(\.path) == ["x, y"])
  }

  @Test func bytesThatAreNoUTF8DoNotStopIt() throws {
    let bytes = Array("path,class,predicted,a,b\n".utf8) + [0xFF, 0xFE] + Array(",a,b,0,1\n".utf8)
    let read = try Predictions(csv: Data(bytes), path: "p.csv")
    #expect(read.rows.map(\.path) == ["\u{FFFD}\u{FFFD}"])
  }

  @Test(arguments: [
    ("", "holds no predictions: expected the columns path, class, predicted"),
    ("path,label\n", "found path, label"),
    ("path,class,predicted,a\n", "found path, class, predicted, a"),
    ("path,class,predicted,a,a\n", "holds no predictions"),
    ("path,class,predicted,a,b\nx,a,a,1\n", "line 2: expected 5 fields, found 4"),
    ("path,class,predicted,a,b\n\"x\ny\",a,a,1,0\nz,c,a,1,0\n", "line 4: there is no column"),
    ("path,class,predicted,a,b\nx,a,a,1,two\n", "found 'two'"),
    ("path,class,predicted,a,b\nx,a,a,1.5,0\n", "found '1.5'"),
    ("path,class,predicted,a,b\nx,a,a,0.2,0.8\n", "predicted is 'a', but 'b' is more probable"),
    ("path,class,predicted,a,b\n\"x,a,a,0.2,0.8\n", "line 2: a quote is not closed"),
    ("path,class,predicted,a,b\n\"x\"y,a,a,0.2,0.8\n", "line 2: expected a comma after"),
  ])
  func badFilesAreNamed(text: String, message: String) {
    let error = #expect(throws: PredictionsError.self) {
      _ = try Predictions(csv: Data(text.utf8), path: "p.csv")
    }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
    #expect(error?.description.contains("'p.csv'") == true)
  }

  @Test func missingFileIsSaid() {
    let error = #expect(throws: PredictionsError.self) {
      _ = try Predictions(contentsOf: "/nowhere/p.csv")
    }
    #expect(error?.description == "cannot read '/nowhere/p.csv': there is no such file")
  }

  @Test(arguments: [
    ("accuracy>=0.95", "accuracy", ">=", 0.95), ("loss < 0.3", "loss", "<", 0.3),
    ("recall[cats>=2]>=0.9", "recall[cats>=2]", ">=", 0.9), ("ece<=.05", "ece", "<=", 0.05),
    ("brier>1e-3", "brier", ">", 0.001), ("accuracy==1", "accuracy", "=", 1),
  ])
  func conditionsAreRead(text: String, name: String, sign: String, bound: Double) throws {
    let assertion = try MetricAssertion(text)
    #expect(assertion.name == name)
    #expect(assertion.comparison.rawValue == sign)
    #expect(assertion.bound == bound)
  }

  @Test(arguments: [
    ("accuracy", "quote it"), ("accuracy=>1", "found '=>'"), ("accuracy>=high", "found 'high'"),
    ("accuracy>=", "expected a number"), ("accuracy>=nan", "expected a number"),
  ])
  func wrongConditionsAreRefused(text: String, message: String) {
    let error = #expect(throws: MetricAssertion.Malformed.self) { _ = try MetricAssertion(text) }
    #expect(error?.description.contains(message) == true, "\(String(describing: error))")
  }

  @Test(arguments: [
    ("accuracy>=0.5", true), ("accuracy>0.5", false), ("accuracy<0.5", false),
    ("accuracy<=0.5", true), ("accuracy=0.5", true), ("accuracy=0.51", false),
    ("recall[a]>=1", true), ("recall[b]>=0.1", false), ("roc_auc>=0", true),
  ])
  func conditionsHoldOrNot(text: String, holds: Bool) throws {
    let metrics = Metrics(
      Predictions(
        classNames: ["a", "b"],
        rows: [
          .init(path: "1", label: 0, probabilities: [0.9, 0.1]),
          .init(path: "2", label: 1, probabilities: [0.8, 0.2]),
        ]))
    #expect(try MetricAssertion(text).check(metrics).holds == holds)
  }
}
