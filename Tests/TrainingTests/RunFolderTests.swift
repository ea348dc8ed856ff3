import Foundation
import TensorBoard
import TestSupport
import Testing
import Training

/// The files of a run folder.
struct RunFolderTests {
  private let epochs = [
    EpochResult(
      epoch: 1, loss: 0.5, accuracy: 0.75, validationLoss: 0.625, validationAccuracy: 0.5,
      learningRate: 1e-3, seconds: 1.5),
    EpochResult(epoch: 2, loss: .nan, accuracy: 0.8, learningRate: 5e-4, seconds: 2),
  ]

  private func record(_ date: Date = Date(timeIntervalSince1970: 1_700_000_000)) -> RunRecord {
    RunRecord(
      command: "fine-tune", data: "photos/train", validation: nil, classNames: ["a", "b"],
      started: date)
  }

  private func text(_ run: RunFolder, _ name: String) throws -> String {
    try String(contentsOf: URL(filePath: run.file(name)), encoding: .utf8)
  }

  @Test func theFilesGrowWithTheRun() throws {
    try Locations.withTemporaryFolder { folder in
      let run = try RunFolder.create(at: folder.path + "/deep/run")
      try run.begin(record(), recipe: "name: x\n")
      #expect(try text(run, "recipe.yaml") == "name: x\n")
      #expect(
        try text(run, "history.csv")
          == "epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds\n")
      #expect(try text(run, "history.json") == #"{"epoch":[]}"#)
      for epoch in epochs { try run.append(epoch: epoch) }
      #expect(
        try text(run, "history.csv") == """
          epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds
          1,0.5,0.75,0.625,0.5,0.001,1.5
          2,nan,0.8,,,0.0005,2.0

          """)
      let json = try RunHistory(json: Data(text(run, "history.json").utf8))
      #expect(json.epochs[0] == epochs[0])
      #expect(json.epochs[1].loss.isNaN && json.epochs[1].validationLoss == nil)
      #expect(json.epochs.map(\.seconds) == [1.5, 2])
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: run.path).sorted() == [
          "events", "history.csv", "history.json", "recipe.yaml", "run.json",
        ])
    }
  }

  @Test func partsOfARunAreToldApart() throws {
    var history = RunHistory([
      epochs[0].inRun(after: 0, stage: "head"), epochs[1].inRun(after: 1, stage: "block5, \"x\""),
      epochs[0].inRun(after: 2, stage: "block5, \"x\""),
    ])
    #expect(history.countInLastStage == 2)
    #expect(
      history.csv == """
        epoch,loss,accuracy,val_loss,val_accuracy,learning_rate,seconds,stage
        1,0.5,0.75,0.625,0.5,0.001,1.5,head
        3,nan,0.8,,,0.0005,2.0,"block5, ""x""\"
        3,0.5,0.75,0.625,0.5,0.001,1.5,"block5, ""x""\"

        """)
    let again = try RunHistory(json: history.json())
    #expect(again.epochs.map(\.stage) == history.epochs.map(\.stage))
    #expect(again.epochs.map(\.epoch) == [1, 3, 3] && again.epochs[1].loss.isNaN)
    #expect(again.epochs[2] == history.epochs[2])
    history.epochs.removeAll()
    #expect(history.countInLastStage == 0)
  }

  @Test func theRecordTellsHowItWent() throws {
    try Locations.withTemporaryFolder { folder in
      let run = try RunFolder.create(at: folder.path + "/run")
      try run.begin(record(), recipe: "")
      func fields() throws -> [String: Any] {
        let json = try JSONSerialization.jsonObject(with: Data(text(run, "run.json").utf8))
        return try #require(json as? [String: Any])
      }
      let running = try fields()
      #expect(
        Set(running.keys) == [
          "format", "command", "status", "started", "finished", "seconds", "version", "data",
          "validation", "model", "classNames", "frozen", "trained", "photoWait", "isa", "threads",
          "error", "output",
        ])
      #expect(running["status"] as? String == "running")
      #expect(running["started"] as? String == "2023-11-14T22:13:20Z")
      #expect(running["finished"] is NSNull)
      #expect((running["data"] as? String)?.hasPrefix("/") == true)
      run.update { $0.frozen = "all" }
      try run.finish(.failed, error: "no luck")
      let ended = try fields()
      #expect(ended["status"] as? String == "failed")
      #expect(ended["error"] as? String == "no luck")
      #expect(ended["frozen"] as? String == "all")
      #expect(ended["finished"] is String)
    }
  }

  @Test func eventsLieAsTheCallbackOfKerasPutsThem() throws {
    try Locations.withTemporaryFolder { folder in
      let run = try RunFolder.create(at: folder.path + "/run")
      try run.begin(record(), recipe: "")
      for epoch in epochs { try run.append(epoch: epoch) }
      func scalars(_ split: String) throws -> [String] {
        let place = run.file("events/\(split)")
        let names = try FileManager.default.contentsOfDirectory(atPath: place)
        #expect(names.count == 1)
        let data = try Data(contentsOf: URL(filePath: "\(place)/\(names[0])"))
        return try EventFile(data).scalars.map { "\($0.tag) \($0.step) \($0.value)" }
      }
      #expect(
        try scalars("train") == [
          "epoch_accuracy 0 0.75", "epoch_loss 0 0.5", "epoch_learning_rate 0 0.001",
          "epoch_accuracy 1 0.8", "epoch_loss 1 nan", "epoch_learning_rate 1 0.0005",
        ])
      #expect(try scalars("validation") == ["epoch_accuracy 0 0.5", "epoch_loss 0 0.625"])
    }
  }

  @Test func aTakenFolderIsRefused() throws {
    try Locations.withTemporaryFolder { folder in
      let path = folder.path + "/run"
      let run = try RunFolder.create(at: path)
      try run.begin(record(), recipe: "")
      for status in [RunRecord.Status.finished, .running, .interrupted] {
        try run.finish(status)
        let before = try text(run, "run.json")
        let error = #expect(throws: RunFolderError.self) { try RunFolder.create(at: path) }
        #expect(
          error?.description == "'\(path)' already holds a run: fine-tune, \(status.rawValue), "
            + "begun 2023-11-14T22:13:20Z")
        #expect(try text(run, "run.json") == before)
      }
      try Data().write(to: folder.appending(path: "model.h5"))
      let other = #expect(throws: RunFolderError.self) { try RunFolder.create(at: folder.path) }
      #expect(
        other?.description.hasSuffix("expected an empty or new folder, found 'model.h5' in it")
          == true)
      let file = #expect(throws: RunFolderError.self) {
        try RunFolder.create(at: folder.path + "/model.h5")
      }
      #expect(file?.description.hasSuffix("expected a folder, found a file") == true)
    }
  }

  @Test func anOpenedRunGoesOn() throws {
    try Locations.withTemporaryFolder { folder in
      let first = try RunFolder.create(at: folder.path + "/run")
      try first.begin(record(), recipe: "r")
      try first.append(epoch: epochs[0])
      try first.append(epoch: epochs[1])
      first.update { $0.frozen = "f" }
      try first.finish(.interrupted)
      let seconds = try #require(first.record?.seconds)

      let second = try RunFolder.open(folder.path + "/run")
      #expect(second.history.epochs.count == 2)
      #expect(second.record?.frozen == "f")
      try second.resume(recipe: "again")
      #expect(second.record?.status == .running)
      // An epoch that is repeated takes the place of what was there from it on.
      try second.append(epoch: epochs[0])
      #expect(second.history.epochs.count == 1)
      try second.append(epoch: epochs[1])
      #expect(try text(second, "history.csv").split(separator: "\n").count == 3)
      try second.finish(.finished)
      #expect(try #require(second.record?.seconds) > seconds)
      #expect(try text(second, "recipe.yaml") == "again")
      let none = #expect(throws: RunFolderError.self) { try RunFolder.open(folder.path) }
      #expect(none?.description == "'\(folder.path)' holds no run: there is no run.json in it")
    }
  }

  @Test func aFolderThatCannotBeWrittenIsNamed() throws {
    let error = #expect(throws: RunFolderError.self) { try RunFolder.create(at: "/proc/run") }
    #expect(error?.description.hasPrefix("cannot write the run folder '/proc/run': ") == true)
  }
}
