import Architectures
package import Layers
package import Weights

// Training brings everything together: bases, feature files, the loop, freezing, model files with
// what is needed to use them, prediction. It prints nothing; it reports through callbacks.

/// What can go wrong between photos, features and models; `description` is one line.
package enum TrainingError: Error, CustomStringConvertible {
  case noSuchBase(NamedBase, WeightStore)
  case unknownBase(String, known: [String])
  case unknownArchitecture(String, holds: String)
  case unusableLayers(String, LayerError)
  case unfitBase(LoadMismatch)
  case noPreprocessing(String)
  case noPooling(layer: String, shape: [Int])
  case notAFeatureFile(String, missing: String)
  case unlabelled(String)
  case incomplete(String, rows: Int)
  case doNotBelongTogether(String, String, why: String)
  case otherClasses(String, [String], String, [String])
  case unknownClass(String, folder: String, known: [String])
  case baseGone(String, features: String)
  case baseChanged(String, expected: String, found: String)
  case tooFewClasses(String, found: [String])
  case noClassifier(String, found: String)
  case noPhotoInput(String, found: [Int])
  case missingExtras(String, what: String, flag: String?)
  case wrongClassCount(String, names: [String], outputs: Int)
  case badPhoto(String, reason: String)
  case nothingLeft([PhotoTally.Skipped])
  case frozenChanged([String])
  case otherNetwork(String, expected: String, found: String)
  case unfitTeacher(String, found: [Int])
  case teacherLacksPhotos(String, missing: Int, of: Int)
  case notFinite(epoch: Int, batch: Int? = nil, place: NotFinitePlace? = nil)
  case notFiniteParameter(String)
  case otherState(String)
  case unknownClassWeight(String, known: [String])
  case badUnfreezing(String, why: String)

  package var description: String {
    switch self {
    case .noSuchBase(let base, let store):
      "no weights file for the base '\(base.name)': looked for "
        + "\(base.fileNames.joined(separator: ", ")) in "
        + store.folders.map { "'\($0)'" }.joined(separator: ", ")
    case .unknownBase(let name, let known):
      "cannot find the base '\(name)': expected a file or one of \(few(known))"
    case .unknownArchitecture(let path, let holds):
      "cannot tell which network '\(path)' belongs to: expected the layers of one of "
        + "\(few(Architectures.all.map(\.name))), found \(holds)"
    case .unusableLayers(let path, let error): "cannot use '\(path)': \(error)"
    case .unfitBase(let mismatch): mismatch.description
    case .noPreprocessing(let path):
      "the preprocessing that '\(path)' expects is not known"
    case .noPooling(let layer, let shape):
      "cannot pool the output of '\(layer)': expected [height, width, channels], found \(shape)"
    case .notAFeatureFile(let path, let missing):
      "'\(path)' is no feature file: expected \(missing)"
    case .unlabelled(let path):
      "'\(path)' has no labels: expected features of a folder with one subfolder per class"
    case .incomplete(let path, let rows):
      "'\(path)' is an interrupted run's file: it holds only its first \(rows) photos"
    case .doNotBelongTogether(let first, let second, let why):
      "'\(first)' and '\(second)' do not belong together: \(why)"
    case .otherClasses(let first, let mine, let second, let theirs):
      "'\(first)' and '\(second)' do not belong together: classes are \(listed(mine)) here and "
        + "\(listed(theirs)) there"
    case .unknownClass(let name, let folder, let known):
      "class '\(name)' of '\(folder)' is unknown to the model: expected one of \(listed(known))"
    case .baseGone(let path, let features):
      "the base that '\(features)' came from is gone: no file '\(path)'"
    case .baseChanged(let path, let expected, let found):
      "the base '\(path)' is not the one that the features came from: expected fingerprint "
        + "\(expected.prefix(12)), found \(found.prefix(12))"
    case .tooFewClasses(let path, let found):
      "'\(path)' has too few classes to learn from: expected at least 2, found "
        + listed(found)
    case .noClassifier(let path, let found):
      "'\(path)' holds no classifier: expected a last layer with sigmoid or softmax, found \(found)"
    case .noPhotoInput(let path, let found):
      "'\(path)' takes no colour photos: expected an input [height, width, 3], found \(found)"
    case .missingExtras(let path, let what, _):
      "'\(path)' does not say \(what)"
    case .wrongClassCount(let path, let names, let outputs):
      "'\(path)' has \(outputs) output\(outputs == 1 ? "" : "s"): expected "
        + "\(outputs == 1 ? 2 : outputs) class names, found \(listed(names))"
    case .badPhoto(let path, let reason): "cannot use '\(path)': \(reason)"
    case .nothingLeft(let skipped):
      "no photo is left: all \(skipped.count) were skipped"
        + (skipped.first.map { ", the first, '\($0.path)', because \($0.reason)" } ?? "")
    case .frozenChanged(let names):
      "frozen tensors changed while training: \(names.joined(separator: ", "))"
    case .otherNetwork(let path, let expected, let found):
      "cannot go on from '\(path)': expected the layers and shapes of '\(expected)', found '\(found)'"
    case .unfitTeacher(let path, let found):
      "'\(path)' cannot teach: expected features [photos, numbers], found \(found)"
    case .teacherLacksPhotos(let path, let missing, let count):
      "'\(path)' cannot teach: it lacks \(missing) of the \(count) photos to learn from"
    case .notFinite(let epoch, let batch, let place):
      "the loss is no longer a number in epoch \(epoch)" + (batch.map { ", batch \($0)" } ?? "")
        + (place.map { ": \($0)" } ?? "")
    case .notFiniteParameter(let name):
      "training ended with numbers in '\(name)' that are not finite"
    case .unknownClassWeight(let name, let known):
      "a weight is given for '\(name)', which is no class: expected one of \(listed(known))"
    case .badUnfreezing(let text, let why):
      "cannot use the schedule '\(text)': \(why)"
    case .otherState(let found):
      "cannot go on from a state of another run: found \(found)"
    }
  }

  private func listed(_ names: [String]) -> String {
    names.isEmpty ? "none" : names.map { "'\($0)'" }.joined(separator: ", ")
  }
}

extension TrainingError {
  /// What the user can do about it, where something can be done.
  package var wayOut: String? {
    switch self {
    case .noSuchBase(let base, _) where base.published == nil:
      "give the file's path to --base: it is in the folder 'weights' of tl's project"
    case .noSuchBase(let base, let store):
      "`tl weights pull \(base.name)`, or \(PullError.byHand(base, store.cache))"
    case .unusableLayers(_, .emptyOutput): "a larger --image-size"
    case .unusableLayers(_, .noSuchLayer), .unusableLayers(_, .nothingToTrain),
      .unusableLayers(_, .badPattern):
      "`tl summary` lists the layers"
    case .unfitBase(let mismatch) where mismatch.looksMadeForOtherSize:
      "--image-size with the size that the file was made for"
    case .unfitBase(let mismatch) where mismatch.loaded > 0:
      "--allow-partial loads the rest and leaves the others zero"
    case .noPreprocessing: "--preprocess caffe (or tf, torch, rescale, none)"
    case .missingExtras(_, _, let flag): flag
    case .baseChanged, .baseGone: "--base FILE with the file that the features were made with"
    case .incomplete: "run `tl extract-features` again: it goes on where it stopped"
    case .doNotBelongTogether:
      "make both files with the same base and options of `tl extract-features`"
    case .unfitTeacher: "`tl extract-features` with --pooling avg"
    case .teacherLacksPhotos: "run `tl extract-features` on the same data folder"
    case .notFinite(_, _, .values): "look at the photos and the base's weights"
    case .notFinite, .notFiniteParameter: "a smaller --learning-rate, or --global-clipnorm 1"
    default: nil
    }
  }
}

/// The first of a long list of names, in one line with what is around it.
private func few(_ names: [String]) -> String {
  let shown = names.prefix(12).joined(separator: ", ")
  return names.count > 12 ? "\(shown) and \(names.count - 12) more" : shown
}
