import Images
import Training

/// A trained model to go on from, for the classes of a data folder.
func startingModel(
  _ path: String, _ folder: PhotoFolder, _ data: String, _ photos: PhotoOptions,
  _ pass: PassOptions, _ console: Console
) throws -> ClassifierModel {
  let scaling = photos.scaling
  var model = try ClassifierModel.load(
    path,
    overrides: ModelOverrides(
      preprocessing: photos.preprocess, interpolation: scaling.interpolation, fit: scaling.fit,
      ignoreOrientation: scaling.ignoreOrientation, fastDecode: scaling.fastDecode,
      imageSize: photos.givenSize?.pair, fallbackClassNames: folder.classNames))
  model.loader.pixelLimit = pass.limits.pixelLimit
  guard model.classNames == folder.classNames else {
    throw TrainingError.otherClasses(path, model.classNames, data, folder.classNames)
  }
  if model.history.isEmpty {
    console.note("'\(path)' was not written by tl: its classes are taken to be the folder's")
  }
  console.note("model: \(model.summary)")
  for note in model.notes { console.note(note) }
  console.note("photos: \(model.loader.summary)")
  return model
}
