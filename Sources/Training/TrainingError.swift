// Training brings everything together: bases, feature files, the loop, freezing, model files with
// what is needed to use them, prediction. It prints nothing; it reports through callbacks.

/// What can go wrong between photos, features and models; `description` is one line.
package enum TrainingError: Error, CustomStringConvertible {
  case noSuchBase(String, looked: [String], url: String)
  case unknownArchitecture(String, holds: String)
  case noPreprocessing(String)
  case noPooling(layer: String, shape: [Int])
  case notAFeatureFile(String, missing: String)
  case unlabelled(String)
  case incomplete(String, rows: Int)
  case doNotBelongTogether(String, String, why: String)
  case baseChanged(String, expected: String, found: String)
  case tooFewClasses(String, found: [String])
  case noClassifier(String, found: String)
  case missingExtras(String, what: String, flag: String?)
  case wrongClassCount(String, names: [String], outputs: Int)
  case badPhoto(String, reason: String)
  case nothingLeft(String)
  case frozenChanged([String])
  case notFinite(epoch: Int)

  package var description: String {
    switch self {
    case .noSuchBase(let name, let looked, _):
      "no weights file for the base '\(name)': looked for \(looked.joined(separator: ", "))"
    case .unknownArchitecture(let path, let holds):
      "cannot tell which network '\(path)' belongs to: expected the layers of one of "
        + "vgg16, vgg19, found \(holds)"
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
    case .baseChanged(let path, let expected, let found):
      "the base '\(path)' is not the one that the features came from: expected fingerprint "
        + "\(expected.prefix(12)), found \(found.prefix(12))"
    case .tooFewClasses(let path, let found):
      "'\(path)' has too few classes to learn from: expected at least 2, found \(found)"
    case .noClassifier(let path, let found):
      "'\(path)' holds no classifier: expected a last layer with sigmoid or softmax, found \(found)"
    case .missingExtras(let path, let what, _):
      "'\(path)' does not say \(what)"
    case .wrongClassCount(let path, let names, let outputs):
      "'\(path)' has \(outputs) output\(outputs == 1 ? "" : "s"): expected "
        + "\(outputs == 1 ? 2 : outputs) class names, found \(names)"
    case .badPhoto(let path, let reason): "cannot use '\(path)': \(reason)"
    case .nothingLeft(let path): "no photo of '\(path)' could be decoded"
    case .frozenChanged(let names):
      "frozen tensors changed while training: \(names.joined(separator: ", "))"
    case .notFinite(let epoch): "the loss is no longer a number in epoch \(epoch)"
    }
  }
}

extension TrainingError {
  /// What the user can do about it, where something can be done.
  package var wayOut: String? {
    switch self {
    case .noSuchBase(_, let looked, let url):
      "download \(url) to \(looked.last ?? "weights"), or give the file's path to --base"
    case .noPreprocessing: "--preprocess caffe (or tf, torch, rescale, none)"
    case .missingExtras(_, _, let flag): flag
    case .baseChanged: "--base FILE with the file that the features were made with"
    case .incomplete: "run `tl extract-features` again: it goes on where it stopped"
    case .doNotBelongTogether(_, _, let why) where why.contains("'"):
      "make both files with the same base and options of `tl extract-features`"
    case .notFinite: "a smaller --learning-rate"
    default: nil
    }
  }
}
