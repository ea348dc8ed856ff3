/// What cannot be shown; `description` is one line.
package enum ExplainError: Error, CustomStringConvertible {
  case noPictureLayer(String, shape: [Int])
  case noPooledHead(layer: String, found: [String])
  case unknownClass(String, known: [String])
  case noColorKernels(layer: String, shape: [Int])
  case noConvolution(String, found: String)
  case tooLarge(what: String, width: Int, height: Int)
  case badKernel(String, reason: String)
  case patchTooLarge(patch: Int, height: Int, width: Int)
  case nothingLeft(photo: String, height: Int, width: Int, kernel: String)
  case noRun(String, found: String)

  package var description: String {
    switch self {
    case .noPictureLayer(let name, let shape):
      "the output of '\(name)' is no picture: expected [height, width, channels], found \(shape)"
    case .noPooledHead(let layer, let found):
      "no class activation maps of '\(layer)': expected GlobalAveragePooling2D and Dense after it, "
        + "found \(found.isEmpty ? "nothing" : found.joined(separator: ", "))"
    case .unknownClass(let name, let known):
      "the model has no class '\(name)': expected one of "
        + known.map { "'\($0)'" }.joined(separator: ", ")
    case .noColorKernels(let layer, let shape):
      "the kernels of '\(layer)' are no pictures: expected 1 or 3 input channels, found "
        + "\(shape[2])"
    case .noConvolution(let name, let found):
      "'\(name)' has no kernels: expected a Conv2D layer, found \(found)"
    case .tooLarge(let what, let width, let height):
      "\(what) would be a picture of \(width) x \(height) pixels: expected at most 16384 a side"
    case .badKernel(let name, let reason): "cannot use the kernel '\(name)': \(reason)"
    case .patchTooLarge(let patch, let height, let width):
      "a patch of \(patch) pixels does not fit: expected less than the network's input of "
        + "\(height)x\(width)"
    case .nothingLeft(let photo, let height, let width, let kernel):
      "nothing is left of '\(photo)' (\(height)x\(width)) under a kernel of \(kernel)"
    case .noRun(let path, let found):
      "'\(path)' is no training run: expected a folder with run.json, history.json or "
        + "predictions.csv, found \(found)"
    }
  }
}

extension ExplainError {
  /// What the user can do about it, where something can be done.
  package var wayOut: String? {
    switch self {
    case .noPictureLayer: "a convolution: `tl summary` lists the layers"
    case .noPooledHead: "--method grad-cam, which takes any head"
    case .noColorKernels: "the first layer: leave --layer out"
    case .noConvolution: "`tl summary` lists the layers"
    case .tooLarge: "fewer layers, or --channels 64"
    case .badKernel:
      "sobel-x, sobel-y, sharpen, mean, or a text file with one row of numbers a line"
    case .patchTooLarge: "a smaller --patch"
    case .nothingLeft: "--padding same"
    case .noRun: "the folder that a training command named at its end"
    case .unknownClass: nil
    }
  }
}
