package import Foundation
internal import SwiftProtobuf

/// A number of a training run at a step, as TensorBoard plots it.
package struct ScalarEvent: Equatable, Sendable {
  package let tag: String
  package let step: Int
  package let value: Float
  /// Seconds since 1970.
  package let wallTime: Double

  package init(tag: String, step: Int, value: Float, wallTime: Double) {
    (self.tag, self.step, self.value, self.wallTime) = (tag, step, value, wallTime)
  }
}

/// An event file that scalars are added to while a run goes on, as TensorFlow's own writer has them.
package final class EventFileWriter {
  package let path: String
  private let file: FileHandle

  /// Starts a new file in `folder`, which is made if it is not there.
  ///
  /// - Parameter wallTime: seconds since 1970, also part of the file's name.
  package init(in folder: String, wallTime: Double = Date().timeIntervalSince1970) throws {
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true)
    let host = ProcessInfo.processInfo.hostName.prefix { $0 != "/" }
    let process = ProcessInfo.processInfo.processIdentifier
    func name(_ number: Int) -> String {
      "\(folder)/events.out.tfevents.\(Int(wallTime)).\(host).\(process).\(number).v2"
    }
    var number = 0
    while FileManager.default.fileExists(atPath: name(number)) { number += 1 }
    path = name(number)
    try Self.start(wallTime).write(to: URL(filePath: path), options: .withoutOverwriting)
    file = try FileHandle(forWritingTo: URL(filePath: path))
    try file.seekToEnd()
  }

  deinit { try? file.close() }

  /// Adds scalars; a reader sees them at once.
  package func write(_ events: [ScalarEvent]) throws {
    try file.write(contentsOf: Self.records(events))
  }

  /// The file's first record.
  package static func start(_ wallTime: Double) throws -> Data {
    var event = Tensorflow_Event()
    event.wallTime = wallTime
    event.fileVersion = "brain.Event:2"
    event.sourceMetadata.writer = "tensorflow.core.util.events_writer"
    return RecordFraming.framed(try event.serializedData())
  }

  /// The records of scalars.
  package static func records(_ events: [ScalarEvent]) throws -> Data {
    try events.reduce(into: Data()) { data, scalar in
      var value = Tensorflow_Summary.Value()
      value.tag = scalar.tag
      value.tensor.dtype = .dtFloat
      value.tensor.tensorShape = Tensorflow_TensorShapeProto()
      value.tensor.tensorContent = Data(
        (0..<4).map { UInt8(truncatingIfNeeded: scalar.value.bitPattern >> ($0 * 8)) })
      value.metadata.pluginData.pluginName = "scalars"
      var event = Tensorflow_Event()
      event.wallTime = scalar.wallTime
      event.step = Int64(scalar.step)
      event.summary.value = [value]
      data += RecordFraming.framed(try event.serializedData())
    }
  }
}

/// The scalars of an event file.
package struct EventFile: Sendable {
  package let scalars: [ScalarEvent]
  /// False where the file ends within a record or is damaged; what comes before counts.
  package let isWhole: Bool

  package init(_ data: Data) throws {
    let (records, isWhole) = RecordFraming.records(data)
    self.isWhole = isWhole
    scalars = try records.flatMap { record in
      let event = try Tensorflow_Event(serializedBytes: record)
      return event.summary.value.compactMap { value in
        Self.number(value).map {
          ScalarEvent(tag: value.tag, step: Int(event.step), value: $0, wallTime: event.wallTime)
        }
      }
    }
  }

  private static func number(_ value: Tensorflow_Summary.Value) -> Float? {
    switch value.value {
    case .simpleValue(let number): return number
    case .tensor(let tensor):
      if let number = tensor.floatVal.first { return number }
      guard tensor.tensorContent.count == 4 else { return nil }
      return Float(
        bitPattern: tensor.tensorContent.reversed().reduce(0) { $0 << 8 | UInt32($1) })
    case nil: return nil
    }
  }
}
