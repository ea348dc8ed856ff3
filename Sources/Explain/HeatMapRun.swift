import Compute
import Drawing
import Foundation
package import Images
import Synchronization
package import Training
import Weights

/// Makes heat maps of many photos, and the pictures of them.
package struct HeatMapRun: Sendable {
  /// What became of one photo.
  package struct Item: Sendable {
    package let photo: Photo
    package let outcome: Result<HeatMap, ImagesError>
    /// The file that the picture was written to.
    package let picture: String?

    /// The same without the map.
    package var prediction: Prediction {
      Prediction(photo: photo, outcome: outcome.map(\.probabilities))
    }
  }

  private let model: ClassifierModel
  private let mapper: HeatMapper
  private let label: Int?
  private let batchSize: Int

  /// - Parameter label: the class that all maps are about; of each photo the most probable if nil.
  package init(
    _ model: ClassifierModel, _ mapper: HeatMapper, label: Int? = nil, batchSize: Int
  ) {
    self.model = model
    self.mapper = mapper
    self.label = label
    self.batchSize = batchSize
  }

  /// Gives every photo in order to `body`; one that fails does not stop the run.
  ///
  /// - Parameters:
  ///   - pictures: for each photo the PNG file for its picture, its folder included; nil for none.
  ///   - report: how many photos are done, after each batch.
  @discardableResult
  package func run(
    _ photos: [Photo], pictures: [String]?, report: (Int) throws -> Void,
    _ body: (Item) throws -> Void
  ) throws -> PhotoTally {
    let pass = PhotoPass(
      loader: model.loader, plan: mapper.plan, batchSize: batchSize, isStrict: false)
    return try pass.decode(photos) { batch in
      let maps = mapper.maps(batch.tensor, label: label)
      if let pictures {
        try draw(zip(batch.indices, maps).map { (photos[$0], $1, pictures[$0]) })
      }
      var (remaining, failures) = (maps[...], batch.failures[...])
      for index in batch.range {
        if let failure = failures.first, failure.index == index {
          failures.removeFirst()
          try body(Item(photo: photos[index], outcome: .failure(failure.error), picture: nil))
        } else if let map = remaining.popFirst() {
          try body(
            Item(photo: photos[index], outcome: .success(map), picture: pictures?[index]))
        }
      }
      try report(batch.range.upperBound)
    }
  }

  /// Draws and writes pictures on all threads; throws the first error.
  private func draw(_ jobs: [(photo: Photo, map: HeatMap, path: String)]) throws {
    let failure = Mutex<(any Error)?>(nil)
    parallel(jobs.count) { range in
      for job in jobs[range] {
        do {
          try draw(job.map, of: job.photo, to: job.path)
        } catch {
          failure.withLock { $0 = $0 ?? error }
        }
      }
    }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func draw(_ map: HeatMap, of photo: Photo, to path: String) throws {
    let original = try model.loader.original(photo)
    let picture = HeatMapPicture(
      title: map.title(model.classNames),
      detail: map.isEmpty ? "nothing speaks for it" : "\(method) of \(mapper.layer)",
      values: map.resized(height: original.height, width: original.width))
    let bytes = try picture.image(on: original).png(isFast: true)
    try AtomicFile.write(path) { try Data(bytes).write(to: URL(filePath: $0)) }
  }

  private var method: String { mapper.method.title }
}

extension HeatMap {
  /// The class and its probability, such as `dogs 0.9987`.
  package func title(_ classNames: [String]) -> String {
    // Four decimals would round to a certainty that is none.
    let rounded = String(format: "%.4f", probability)
    let shown =
      rounded == "1.0000" && probability < 1
      ? "> 0.9999" : rounded == "0.0000" && probability > 0 ? "< 0.0001" : rounded
    return "\(classNames[label]) \(shown)"
  }
}
