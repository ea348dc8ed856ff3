import Drawing
import Foundation
import Images
import Training

/// The worst mistakes as small pictures, each beside a heat map of what spoke for the wrong class.
struct MistakeFigures {
  /// The longer side of a small picture, in pixels.
  static let side = 240
  /// Of its JPEG.
  static let quality = 82
  /// The mistakes' photos are decoded at once.
  static let most = 100

  private let predictions: Predictions
  private let rows: [Predictions.Row]
  private let folder: String?
  private let model: String?
  /// What could not be shown, one sentence each.
  private(set) var missing: [String] = []
  private(set) var html = ""
  private(set) var hasMaps = false

  /// - Parameters:
  ///   - count: how many mistakes.
  ///   - folder: where the photos are; nil where that is not known.
  ///   - model: the model's file; nil where there is none.
  init(_ predictions: Predictions, count: Int, folder: String?, model: String?) {
    self.predictions = predictions
    self.folder = folder
    self.model = model
    rows = Array(predictions.mistakes.prefix(min(count, Self.most)))
    guard !rows.isEmpty else { return }
    html = cards()
  }

  private mutating func cards() -> String {
    let photos = photos()
    let mapped = maps(photos)
    hasMaps = mapped.maps.contains { $0 != nil }
    let loader =
      mapped.loader ?? PhotoLoader(height: 1, width: 1, preprocessing: .rescale)
    var absent: [String] = []
    let cards = rows.indices.map { index in
      let row = rows[index]
      var pictures = ""
      if let photo = photos[index] {
        do {
          pictures = try pictureTags(photo, row, mapped.maps[index], loader)
        } catch {
          absent.append("'\(row.path)': \(error)")
        }
      }
      return card(row, pictures, mapped.maps[index])
    }
    if let first = absent.first {
      missing.append(
        "\(absent.count) of the \(rows.count) mistakes' photos cannot be shown, the first \(first)")
    }
    return "<div class=\"mistakes\">\n" + cards.joined(separator: "\n") + "\n</div>\n"
  }

  /// The photos of the mistakes; nil for those that are not where they were.
  private mutating func photos() -> [Photo?] {
    guard let folder else {
      missing.append("no photos: the run does not say which folder it was validated on")
      return rows.map { _ in nil }
    }
    guard !isFile(folder) else {
      missing.append(
        "no photos: the run was validated on features, '\(folder)': `tl report --data DIR` with "
          + "the folder that they are of shows the photos")
      return rows.map { _ in nil }
    }
    let photos = rows.map { row -> Photo? in
      let path = joined(folder, row.path)
      guard FileManager.default.fileExists(atPath: path) else { return nil }
      return Photo(path: path, relativePath: row.path)
    }
    let gone = photos.count { $0 == nil }
    if gone > 0 {
      missing.append(
        "\(gone) of the \(rows.count) mistakes' photos are no longer in '\(folder)': "
          + "`tl report --data DIR` with the folder where they are now shows them")
    }
    return photos
  }

  private func isFile(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && !isFolder.boolValue
  }

  private struct Mapped {
    var maps: [HeatMap?]
    var loader: PhotoLoader?
  }

  /// A heat map of each photo's predicted class, where there is a model.
  private mutating func maps(_ photos: [Photo?]) -> Mapped {
    var mapped = Mapped(maps: photos.map { _ in nil })
    let present = photos.indices.filter { photos[$0] != nil }
    guard !present.isEmpty else { return mapped }
    guard let model else {
      missing.append("no heat maps: the run's model is not in its folder")
      return mapped
    }
    do {
      let classifier = try ClassifierModel.load(model)
      mapped.loader = classifier.loader
      guard classifier.classNames == predictions.classNames else {
        missing.append("no heat maps: the model's classes are not those of the predictions")
        return mapped
      }
      let run = HeatMapRun(classifier, try HeatMapper(classifier), batchSize: 8)
      var next = present[...]
      try run.run(present.compactMap { photos[$0] }, pictures: nil, report: { _ in }) { item in
        guard let index = next.popFirst() else { return }
        mapped.maps[index] = try? item.outcome.get()
      }
    } catch {
      missing.append("no heat maps: \(error)")
      return mapped
    }
    let changed = present.count { index in
      mapped.maps[index].map { $0.label != rows[index].predicted } ?? false
    }
    if changed > 0 {
      missing.append(
        "the model takes \(changed) of the \(present.count) photos for other classes than the run's "
          + "predictions say: photos or model have changed since")
    }
    return mapped
  }

  private func pictureTags(
    _ photo: Photo, _ row: Predictions.Row, _ map: HeatMap?, _ loader: PhotoLoader
  ) throws -> String {
    let original = try loader.original(photo)
    let scale = min(1, Double(Self.side) / Double(max(original.width, original.height)))
    let height = max(1, Int((Double(original.height) * scale).rounded()))
    let width = max(1, Int((Double(original.width) * scale).rounded()))
    let small = original.resized(height: height, width: width, .bicubic)
    var tags = try HTMLPage.jpegTag(small, alt: "The photo \(row.path)", quality: Self.quality)
    if let map {
      let overlay = ColorMap.magma.overlay(map.resized(height: height, width: width), on: small)
      let name = predictions.classNames[map.label]
      tags += try HTMLPage.jpegTag(
        overlay, alt: "Heat map: where '\(name)' was seen", quality: Self.quality)
    }
    return "<div class=\"pair\">\(tags)</div>"
  }

  private func card(_ row: Predictions.Row, _ pictures: String, _ map: HeatMap?) -> String {
    let names = predictions.classNames
    let ranked = row.probabilities.indices.sorted {
      (row.probabilities[$1], $0) < (row.probabilities[$0], $1)
    }
    var shown = Array(ranked.prefix(3))
    if !shown.contains(row.label) { shown[shown.count - 1] = row.label }
    let bars = shown.map { bar(names[$0], row.probabilities[$0], isRight: $0 == row.label) }
    let empty =
      map?.isEmpty == true ? "<p class=\"path\">No part of it spoke for the class.</p>" : ""
    return """
      <figure class="mistake">\(pictures)
      <figcaption><p>Is <b>\(HTMLPage.breakable(names[row.label]))</b>, taken for \
      <b>\(HTMLPage.breakable(names[row.predicted]))</b></p>
      \(bars.joined(separator: "\n"))
      <p class="path">\(HTMLPage.breakable(row.path))</p>\(empty)</figcaption></figure>
      """
  }

  private func bar(_ name: String, _ probability: Float, isRight: Bool) -> String {
    let width = ReportNumber.fixed(Double(max(0, min(1, probability))) * 100, 1)
    return """
      <div class="bar-row\(isRight ? " right" : "")"><span class="clamp">\
      \(HTMLPage.breakable(name))</span><span class="bar-track"><span style="width:\(width)%">\
      </span></span><span class="bar-value">\(ReportNumber.probability(probability))</span></div>
      """
  }
}
