import Compute
import Foundation
import Images

/// Photos from files to the network's numbers with the book's random changes: photos per second,
/// and CPU time for each.
func benchmarkPhotos(_ arguments: Arguments) {
  guard let data = arguments.text("data"), let folder = try? PhotoFolder(labelled: data) else {
    FileHandle.standardError.write(Data("--data: expected a folder of class folders\n".utf8))
    exit(64)
  }
  let size = arguments.integer("size", 150)
  let interpolation =
    arguments.text("interpolation").flatMap { Interpolation(rawValue: $0) } ?? .nearest
  let loader = PhotoLoader(
    height: size, width: size, interpolation: interpolation, preprocessing: .torch,
    fastDecode: arguments.has("fast-decode"))
  let photos = folder.photos
  let augmentation: Augmentation? =
    arguments.has("plain") ? nil : arguments.has("modern") ? .modern : .book
  print("photos from files, \(photos.count) of \(size) px; \(KernelReport.line)")
  for round in 0...arguments.integer("rounds", 3) {
    let view = augmentation.map { AugmentedView($0, seed: 0, number: round) }
    let start = clock()
    let elapsed = seconds {
      for batch in PhotoBatches(photos, loader: loader, view: view, batchSize: 20) {
        precondition(batch.failures.isEmpty, "\(batch.failures[0].error)")
      }
    }
    let processor = Double(clock() - start) / Double(CLOCKS_PER_SEC)
    // The first round brings the files into memory.
    guard round > 0 else { continue }
    let each = processor / Double(photos.count) * 1000
    let speed = Double(photos.count) / elapsed
    print("\(speed.column(0, digits: 1)) photos/s, \(each.column(0, digits: 3)) CPU ms a photo")
  }
}
